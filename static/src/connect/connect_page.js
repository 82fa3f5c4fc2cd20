import { Component, onWillStart, useRef, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { normalize } from "@web/core/l10n/utils";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { ConnectSnippet, ConnectWay } from "./connect_way";

/** Pick a client; get the steps and the configuration with this database's address. */
export class ConnectPage extends Component {
    static template = "mcp_endpoint.ConnectPage";
    static components = { ConnectSnippet, ConnectWay, Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.ui = useService("ui");
        this.guideTitle = useRef("guideTitle");
        this.state = useState({ search: "", client: null });
        onWillStart(async () => {
            this.page = await this.orm.call("mcp.connect", "get_page", []);
        });
    }

    /** The kinds of clients, each with those that match the search. */
    get groups() {
        const words = normalize(this.state.search).split(/\s+/);
        const matches = ({ name, summary }) =>
            words.every((word) => normalize(`${name} ${summary}`).includes(word));
        return this.page.kinds
            .map((kind) => ({
                ...kind,
                guides: this.page.guides.filter((guide) => guide.kind === kind.key && matches(guide)),
            }))
            .filter((group) => group.guides.length);
    }

    /** What is open. On a phone there is room for the list or the guide, so nothing is open at first. */
    get guide() {
        const key = this.state.client;
        return this.page.guides.find((guide) => guide.key === key) || (!this.ui.isSmall && this.page.guides[0]);
    }

    open(key) {
        this.state.client = key;
        // The list may be longer than the screen; on a phone it goes, and the focus with it.
        requestAnimationFrame(() => {
            this.guideTitle.el?.scrollIntoView({ block: "nearest" });
            if (this.ui.isSmall) {
                this.guideTitle.el?.focus();
            }
        });
    }

    async newToken() {
        const context = { mcp_client: this.guide.key };
        const action = await this.orm.call("res.users", "action_new_mcp_token", [[user.userId]], { context });
        await this.action.doAction(action);
    }
}

registry.category("actions").add("mcp_connect", ConnectPage);
