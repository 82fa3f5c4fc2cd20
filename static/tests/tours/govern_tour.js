import { registry } from "@web/core/registry";

let token;

function menu(section, entry) {
    return [
        {
            content: `Open the menu ${section}`,
            trigger: `.o_menu_sections button[data-menu-xmlid="mcp_endpoint.menu_mcp_${section}"]`,
            run: "click",
        },
        {
            content: `Open ${entry}`,
            trigger: `.o-dropdown--menu a[data-menu-xmlid="mcp_endpoint.menu_mcp_${entry}"]`,
            run: "click",
        },
    ];
}

/** What an assistant with the new token does, from this very browser. Returns the result of its call. */
async function callTool(name, args) {
    const response = await fetch("/mcp", {
        method: "POST",
        headers: {
            Accept: "application/json, text/event-stream",
            Authorization: `Bearer ${token}`,
            "Content-Type": "application/json",
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } }),
    });
    return (await response.json()).result;
}

const create = (name) => callTool("odoo_create_records", { model: "res.partner", records: [{ name }] });

registry.category("web_tour.tours").add("mcp_govern", {
    url: "/odoo/mcp-profiles",
    steps: () => [
        {
            content: "Make a profile",
            trigger: ".o_list_button_add",
            timeout: 40000,
            run: "click",
        },
        {
            trigger: ".o_form_view .o_field_widget[name=name] input",
            timeout: 40000,
            run: "edit Night shift",
        },
        {
            content: "What it allows is shown before it is saved",
            trigger: "a[role=tab][name=preview]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=preview]:contains('odoo_search_records'):not(:contains('odoo_create_records'))",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            trigger: ".o_form_saved",
        },
        ...menu("access", "token"),
        {
            content: "Mint a token with it",
            trigger: "button[name=action_new]",
            run: "click",
        },
        {
            trigger: ".modal [name=password] input",
            run: "edit mcp_governor",
        },
        {
            trigger: ".modal button:contains('Confirm Password')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=name] input",
            run: "edit Night assistant",
        },
        {
            trigger: ".modal [name=profile_id] .form-check:contains('Night shift') input",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_mint]",
            run: "click",
        },
        {
            content: "Give it to an assistant, which tries to create a contact",
            trigger: ".modal [name=token]:contains('omcp_pat_')",
            run: async ({ anchor }) => {
                token = anchor.textContent.match(/omcp_pat_[\w-]+/)[0];
                const result = await create("Made at night");
                if (!result.isError || !result.content[0].text.includes("Night shift")) {
                    throw new Error(`Not refused by the profile: ${JSON.stringify(result)}`);
                }
            },
        },
        {
            trigger: ".modal-footer button:contains('I have copied it')",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        ...menu("activity", "audit_log"),
        {
            content: "The refusal is in the log",
            trigger: ".o_data_row:contains('odoo_create_records'):contains('Refused') td[name=request]",
            run: "click",
        },
        {
            content: "It names the profile",
            trigger: ".o_form_view .alert:contains('Night shift'):contains('read access')",
        },
        ...menu("access", "profile"),
        {
            content: "Fix the profile",
            trigger: ".o_data_row:contains('Night shift') td[name=name]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=access_level] .form-check:contains('Read and write') input",
            run: "click",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "The same token may do it now",
            trigger: ".o_form_saved",
            run: async () => {
                const result = await create("Made at night");
                if (result.isError) {
                    throw new Error(`Still refused: ${JSON.stringify(result)}`);
                }
            },
        },
        {
            content: "Who changed the limit is in the chatter",
            trigger: ".o-mail-Chatter .o-mail-Message:contains('Access Level'):contains('Read and write')",
        },
        ...menu("activity", "audit_log"),
        {
            trigger: ".o_data_row:contains('odoo_create_records'):contains('Done')",
        },
    ],
});

// By a user who governs nothing: with the rows of their own assistants.
registry.category("web_tour.tours").add("mcp_revert", {
    url: "/odoo/action-mcp_endpoint.action_mcp_overview",
    steps: () => [
        ...menu("activity", "change"),
        {
            trigger: ".o_data_row:contains('Half done') td[name=name]",
            run: "click",
        },
        {
            content: "What changed is shown",
            trigger: ".o_mcp_values tr:contains('Job Position'):contains('Baker'):contains('King')",
        },
        {
            trigger: "button[name=action_revert]",
            run: "click",
        },
        {
            trigger: ".modal:contains('goes back to what it was') .modal-footer button:contains('Undo')",
            run: "click",
        },
        {
            trigger: ".o_notification:contains('Undone')",
        },
        {
            content: "It cannot be undone twice",
            trigger: ".o_form_view:not(:has(button[name=action_revert]:visible)) .ribbon:contains('Undone')",
        },
    ],
});

registry.category("web_tour.tours").add("mcp_overview", {
    url: "/odoo/action-mcp_endpoint.action_mcp_overview",
    steps: () => [
        {
            content: "Requests are counted",
            trigger: ".o_mcp_tile:contains('Requests'):contains('3')",
            timeout: 40000,
        },
        {
            trigger: ".o_mcp_tile:contains('Refused'):contains('1')",
        },
        {
            content: "So are tools and users",
            trigger: ".card:contains('Tools') button:contains('odoo_get_context')",
        },
        {
            trigger: ".card:contains('Users') button:contains('Eve Employee')",
        },
        {
            content: "Another period",
            trigger: ".o_control_panel button:contains('Day')",
            run: "click",
        },
        {
            trigger: ".o_control_panel button.active:contains('Day')",
        },
        {
            content: "A number leads to its rows",
            trigger: ".o_mcp_tile:contains('Refused')",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains('odoo_create_records'):contains('Refused')",
            timeout: 40000,
        },
    ],
});
