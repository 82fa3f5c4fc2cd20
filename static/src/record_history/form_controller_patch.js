import { onWillStart } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";
import { FormController } from "@web/views/form/form_controller";

// In the cog menu of every record, for administrators: what did assistants do to this one?
patch(FormController.prototype, {
    setup() {
        super.setup(...arguments);
        this.mcpActionService = useService("action");
        onWillStart(async () => {
            this.isMcpAdmin = await user.hasGroup("mcp_endpoint.group_mcp_admin");
        });
    },

    getStaticActionMenuItems() {
        return {
            ...super.getStaticActionMenuItems(),
            mcpHistory: {
                isAvailable: () =>
                    this.isMcpAdmin && this.model.root.resId && !this.props.resModel.startsWith("mcp."),
                sequence: 60,
                icon: "fa fa-history",
                description: _t("What Assistants Did"),
                callback: () => this.openMcpHistory(),
                skipSave: true,
            },
        };
    },

    async openMcpHistory() {
        const { resModel, resId } = this.model.root;
        const action = await this.orm.call("mcp.audit.log", "action_open_for_record", [resModel, resId]);
        return this.mcpActionService.doAction(action);
    },
});
