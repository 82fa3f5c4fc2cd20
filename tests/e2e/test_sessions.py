"""Whole pieces of office work done by an assistant, told and checked through the tools alone.

Each as somebody with the rights of an ordinary user of the apps, and each refused to somebody without them.
"""

import base64

import assistant
from assistant import SessionCase, session


class TestDocuments(SessionCase):
    """Documents on their way through buttons and wizards."""

    @session
    async def test_quotation_to_paid_invoice(self, clerk, guest):
        customer = await self.partner(clerk, email="session@example.com")
        [service] = await clerk.rows(
            "product.product",
            [["type", "=", "service"], ["invoice_policy", "=", "order"], ["service_tracking", "=", "no"]],
            "name",
            limit=1,
        )
        quotation = {
            "partner_id": customer,
            "order_line": [{"product_id": service["id"], "product_uom_qty": 2, "price_unit": 150, "tax_ids": []}],
        }
        await self.check_refused(guest, "Sales/User", "odoo_create_records", model="sale.order", records=[quotation])
        order = await clerk.create("sale.order", **quotation)
        confirm = {"model": "sale.order", "ids": [order], "action": "Confirm"}
        await self.check_refused(guest, "Sales/User", "odoo_run_action", **confirm)
        self.assertEqual((await clerk.row("sale.order", order, "state"))["state"], "draft")
        await clerk.do("odoo_run_action", **confirm)

        asked, invoiced = await clerk.wizard("sale.order", order, "Create Invoice", {})
        self.assertEqual(asked["fields"][0]["default"], "delivered")
        [invoice] = [made["id"] for made in invoiced["created"] if made["model"] == "account.move"]
        await clerk.press("account.move", invoice, "action_post")
        row = await clerk.row("account.move", invoice, "state", "payment_state", "amount_residual", "invoice_origin")
        self.assertEqual((row["state"], row["payment_state"]), ("posted", "not_paid"))
        self.assertEqual(row["amount_residual"]["amount"], 300)

        await self.check_refused(
            guest,
            "Accounting/Invoicing",
            "odoo_run_action",
            model="account.move",
            ids=[invoice],
            action="Pay",
            answers={},
        )
        asked, paid = await clerk.wizard("account.move", invoice, "Pay", {"communication": f"Paid {self.mark}"})
        self.assertEqual({field["name"]: field["default"] for field in asked["fields"]}["amount"], 300)
        self.assertEqual(len([made for made in paid["created"] if made["model"] == "account.payment"]), 1)
        self.assertNotIn(order, [made["id"] for made in paid["created"] if made["model"] == "sale.order"])
        row = await clerk.row("account.move", invoice, "payment_state", "amount_residual")
        self.assertIn(row["payment_state"], ("paid", "in_payment"))
        self.assertEqual(row["amount_residual"]["amount"], 0)
        self.assertEqual((await clerk.row("sale.order", order, "invoice_status"))["invoice_status"], "invoiced")
        [payment] = await clerk.rows("account.payment", [["partner_id", "=", customer]], "amount", "memo")
        self.assertEqual((payment["amount"]["amount"], payment["memo"]), (300, f"Paid {self.mark}"))
        self.assertEqual(len(clerk.questions), 2, f"asked before posting and before paying: {clerk.questions}")

    @session
    async def test_lead_to_won_opportunity(self, clerk, guest):
        lead_values = {
            "name": f"Desks {self.mark}",
            "type": "lead",
            "contact_name": "Ada",
            "email_from": "ada@example.com",
            "partner_name": f"Lovelace {self.mark}",
        }
        await self.check_refused(guest, "Sales/User", "odoo_create_records", model="crm.lead", records=[lead_values])
        lead = await clerk.create("crm.lead", **lead_values)
        convert = "Convert to Opportunity"
        await self.check_refused(
            guest, "Sales/User", "odoo_run_action", model="crm.lead", ids=[lead], action=convert, answers={}
        )
        asked, _done = await clerk.wizard("crm.lead", lead, convert, {"name": "convert", "action": "create"})
        self.assertIn("action", [field["name"] for field in asked["fields"]])
        row = await clerk.row("crm.lead", lead, "type", "partner_id", "user_id")
        self.assertEqual(row["type"], "opportunity")
        self.assertIn(self.mark, row["partner_id"]["name"])
        self.assertEqual(row["user_id"]["name"], assistant.CLERK)

        await self.check_refused(guest, "Sales/User", "odoo_run_action", model="crm.lead", ids=[lead], action="Won")
        await clerk.press("crm.lead", lead, "Won")
        row = await clerk.row("crm.lead", lead, "stage_id", "probability", "won_status")
        self.assertEqual((row["stage_id"]["name"], row["probability"], row["won_status"]), ("Won", 100, "won"))
        error = await clerk.refused("odoo_run_action", model="crm.lead", ids=[lead], action="Won")
        self.assertEqual(error["code"], "not_offered")

    @session
    async def test_purchase_to_receipt_with_back_order(self, clerk, guest):
        vendor = await self.partner(clerk)
        [thing] = await clerk.rows(
            "product.product",
            [["is_storable", "=", True], ["purchase_ok", "=", True], ["tracking", "=", "none"]],
            "name",
            limit=1,
        )
        order_values = {
            "partner_id": vendor,
            "order_line": [{"product_id": thing["id"], "product_qty": 10, "price_unit": 5}],
        }
        await self.check_refused(
            guest, "Purchase/User", "odoo_create_records", model="purchase.order", records=[order_values]
        )
        order = await clerk.create("purchase.order", **order_values)
        await clerk.press("purchase.order", order, "Confirm Order")
        mine = [["purchase_id", "=", order]]
        [receipt] = await clerk.rows("stock.picking", mine, "state", "move_ids")
        self.assertEqual(receipt["state"], "assigned")
        received = {"model": "stock.move", "ids": receipt["move_ids"]["ids"], "values": {"quantity": 6}}
        await self.check_refused(guest, "Inventory/User", "odoo_update_records", **received)
        [before] = await clerk.rows("stock.move", [["picking_id", "=", receipt["id"]]], "quantity")
        self.assertEqual(before["quantity"], 10)
        await clerk.do("odoo_update_records", **received)
        await self.check_refused(
            guest, "Inventory/User", "odoo_run_action", model="stock.picking", ids=[receipt["id"]], action="Validate"
        )
        asked, done = await clerk.wizard("stock.picking", receipt["id"], "Validate", {"button": "Create Backorder"})
        self.assertEqual(asked["wizard"]["model"], "stock.backorder.confirmation")
        [back_order] = [made["id"] for made in done["created"] if made["model"] == "stock.picking"]
        rows = {row["id"]: row for row in await clerk.rows("stock.picking", mine, "state", "backorder_id")}
        self.assertEqual(rows[receipt["id"]]["state"], "done")
        self.assertEqual(rows[back_order]["state"], "assigned")
        self.assertEqual(rows[back_order]["backorder_id"]["id"], receipt["id"])
        [left] = await clerk.rows("stock.move", [["picking_id", "=", back_order]], "product_uom_qty", "state")
        self.assertEqual(left["product_uom_qty"], 4)
        [line] = await clerk.rows("purchase.order.line", [["order_id", "=", order]], "qty_received")
        self.assertEqual(line["qty_received"], 6)

    @session
    async def test_pdf_read_and_summarised(self, clerk, guest):
        order = await clerk.create("purchase.order", partner_id=await self.partner(clerk))
        document = {"model": "purchase.order", "id": order}
        content = base64.b64encode(assistant.pdf("Offer 4711", "20 desks at 99.50 EUR, valid until 2027-01-31"))
        upload = {**document, "name": "offer.pdf", "data": content.decode()}
        await self.check_refused(guest, "Purchase/User", "odoo_upload_file", **upload)
        await clerk.do("odoo_upload_file", **upload)
        await self.check_refused(guest, "Purchase/User", "odoo_read_files", **document)
        [file] = (await clerk.do("odoo_read_files", **document))["files"]
        self.assertEqual((file["name"], file["mimetype"]), ("offer.pdf", "application/pdf"))
        await guest.refused("odoo_read_files", attachment_id=file["id"], mode="text")
        text = await clerk.text("odoo_read_files", attachment_id=file["id"], mode="text")
        for line in ("Offer 4711", "20 desks at 99.50 EUR, valid until 2027-01-31"):
            self.assertIn(line, text)

        note = {**document, "body": "**Offer 4711**: 20 desks at 99.50 EUR."}
        activity = {
            **document,
            "kind": "activity",
            "subject": "Decide on the offer",
            "due": "2027-01-29",
            "activity_type": "To-Do",
        }
        for post in (note, activity):
            await self.check_refused(guest, "Purchase/User", "odoo_post_message", **post)
            facts = await clerk.do("odoo_post_message", **post)
            self.assertEqual(facts["emailed_count"], 0)
        await self.check_refused(guest, "Purchase/User", "odoo_read_thread", **document)
        thread = await clerk.do("odoo_read_thread", **document)
        [planned] = thread["activities"]
        self.assertEqual((planned["summary"], planned["due"]), ("Decide on the offer", "2027-01-29"))
        notes = [message for message in thread["messages"] if "Offer 4711" in str(message)]
        self.assertEqual(len(notes), 1, thread["messages"])
        self.assertIn("**Offer 4711**: 20 desks", notes[0]["body"])

        closing = {"kind": "done", "activity_id": planned["activity_id"], "body": "Too dear."}
        await clerk.do("odoo_post_message", **document, **closing)
        self.assertEqual((await clerk.do("odoo_read_thread", **document))["activities"], [])


class TestData(SessionCase):
    """Many records at once, all or nothing, and back."""

    @session
    async def test_500_partners_imported_twice(self, clerk, guest):
        rows = [
            {"id": f"session_{self.mark}_{number}", "name": f"Import {self.mark} {number}", "ref": self.mark,
             "email": f"{number}@{self.mark}.example.com"}
            for number in range(500)
        ]  # fmt: skip
        load = {"model": "res.partner", "rows": rows}
        mine = [["ref", "=", self.mark]]
        await self.check_refused(guest, "Contact", "odoo_import_records", **load)
        self.assertEqual(await clerk.count("res.partner", mine), 0)
        self.assertEqual((await clerk.do("odoo_import_records", **load))["created"], 500)
        again = await clerk.do("odoo_import_records", **load)
        self.assertEqual((again["created"], again["unchanged"]), (0, 500))
        self.assertEqual(await clerk.count("res.partner", mine), 500)
        # Without external ids they are found by their address.
        by_email = [{key: value for key, value in row.items() if key != "id"} for row in rows]
        by_email[7]["city"] = "Namur"
        third = await clerk.do("odoo_import_records", model="res.partner", rows=by_email, key_fields=["email"])
        self.assertEqual((third["created"], third["updated"], third["unchanged"]), (0, 1, 499))
        self.assertEqual(await clerk.count("res.partner", mine), 500)
        self.assertEqual(await clerk.count("res.partner", [*mine, ["city", "=", "Namur"]]), 1)

    @session
    async def test_batch_that_fails_at_its_last_step_leaves_nothing(self, clerk, guest):
        def steps(last):
            return [
                {"tool": "odoo_create_records", "arguments": {
                    "model": "res.partner", "records": [{"name": f"Batch {self.mark}"}],
                }},
                {"tool": "odoo_create_records", "arguments": {
                    "model": "sale.order", "records": [{"partner_id": "$1.id", "client_order_ref": self.mark}],
                }},
                {"tool": "odoo_post_message", "arguments": {"model": "sale.order", "id": "$2.id", "body": self.mark}},
                {"tool": "odoo_update_records", "arguments": {
                    "model": "sale.order", "ids": "$2.ids", "values": last,
                }},
            ]  # fmt: skip

        async def made():
            return (
                await clerk.count("res.partner", [["name", "=", f"Batch {self.mark}"]]),
                await clerk.count("sale.order", [["client_order_ref", "=", self.mark]]),
            )

        changes = (await clerk.do("odoo_undo"))["changes"]
        for last in ({"no_such_field": 1}, {"partner_id": 2**31 - 1}, {"partner_id": None}):
            error = await clerk.refused("odoo_batch", steps=steps(last))
            self.assertIn("tep 4", error["message"], "it says which step")
            self.assertEqual(await made(), (0, 0))
        self.assertEqual((await clerk.do("odoo_undo"))["changes"], changes)
        await self.check_refused(guest, "Contact", "odoo_batch", steps=steps({"note": "x"}))
        self.assertEqual(await made(), (0, 0))
        self.assertEqual((await clerk.do("odoo_batch", steps=steps({"note": "All done"})))["count"], 4)
        self.assertEqual(await made(), (1, 1))

    @session
    async def test_undo_of_each_kind(self, clerk, guest):
        created = await clerk.do("odoo_create_records", model="res.partner", records=[
            {"name": f"Undo {self.mark}", "city": "Ghent", "comment": "Pays late", "category_id": ["Services"]},
        ])  # fmt: skip
        [partner] = created["ids"]
        one = {"model": "res.partner", "ids": [partner]}
        values = {"city": "Liège", "comment": "", "category_id": []}

        updated = await clerk.do("odoo_update_records", **one, values=values)
        self.assertEqual((await self.told(clerk, partner))["city"], "Liège")
        await self.take_back(clerk, guest, updated)
        before = await self.told(clerk, partner)
        self.assertEqual((before["city"], before["comment"], before["active"]), ("Ghent", "Pays late", True))
        self.assertEqual(before["category_id"]["count"], 1)

        archived = await clerk.do("odoo_delete_records", **one)
        self.assertFalse((await self.told(clerk, partner))["active"])
        await self.take_back(clerk, guest, archived)
        self.assertEqual(await self.told(clerk, partner), before)

        deleted = await clerk.do("odoo_delete_records", **one, mode="delete")
        self.assertEqual(await clerk.count("res.partner", [["id", "=", partner]]), 0)
        self.assertIn("Delete", clerk.questions[-1])
        undone = await self.take_back(clerk, guest, deleted)
        [again] = [row["new_id"] for row in undone["undone"]]
        self.assertNotEqual(again, partner)
        self.assertEqual({**await self.told(clerk, again), "id": partner}, before)

        other = await clerk.do("odoo_create_records", model="res.partner", records=[{"name": f"Undo 2 {self.mark}"}])
        await self.take_back(clerk, guest, other)
        self.assertEqual(await clerk.count("res.partner", [["id", "in", other["ids"]]]), 0)
        self.assertIn("Undo 2", clerk.questions[-1], "asked before it deletes")

        again = {"model": "res.partner", "ids": [again]}
        for tool, arguments in (
            ("odoo_create_records", {"model": "res.partner", "records": [{"name": f"Undo {self.mark}"}]}),
            ("odoo_update_records", {**again, "values": values}),
            ("odoo_delete_records", again),
            ("odoo_delete_records", {**again, "mode": "delete"}),
        ):
            with self.subTest(tool=tool, arguments=arguments):
                await self.check_refused(guest, "Contact", tool, **arguments)
        self.assertEqual(await clerk.count("res.partner", [["name", "=", f"Undo {self.mark}"]]), 1)

    async def told(self, clerk, partner):
        """What the undone fields of a partner hold."""
        return await clerk.row("res.partner", partner, "name", "city", "comment", "active", "category_id")

    async def take_back(self, clerk, guest, facts):
        """Undo a call's only change: not for the guest, once for the clerk; the outcome."""
        [change] = facts["change_ids"]
        error = await guest.refused("odoo_undo", change_id=change)
        self.assertEqual(error["code"], "not_found")
        undone = await clerk.do("odoo_undo", change_id=change)
        self.assertEqual(undone["count"], 1)
        error = await clerk.refused("odoo_undo", change_id=change)
        self.assertEqual(error["code"], "already_undone")
        return undone
