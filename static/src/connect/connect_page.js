import { Component, onWillStart, useEffect, useRef, useState } from "@odoo/owl";
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
        this.ui = useState(useService("ui"));
        this.root = useRef("root");
        this.state = useState({ search: "", client: null });
        useEffect(
            (key) => {
                this.goTo(key ? "article h2" : `[data-client="${this.lastClient}"]`);
                this.lastClient = key;
            },
            () => [this.state.client]
        );
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

    /** Bring what was chosen into view: the list may be long; on a phone it goes, and the focus with it. */
    goTo(selector) {
        const target = this.root.el.querySelector(selector);
        target?.scrollIntoView({ block: "nearest" });
        if (this.ui.isSmall) {
            target?.focus();
        }
    }

    async newToken() {
        const context = { mcp_client: this.guide.key };
        const action = await this.orm.call("res.users", "action_new_mcp_token", [[user.userId]], { context });
        await this.action.doAction(action);
    }
}

registry.category("actions").add("mcp_connect", ConnectPage);
