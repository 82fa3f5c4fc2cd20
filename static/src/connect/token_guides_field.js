import { Component, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { ConnectWay } from "./connect_way";

const FIRST = "claude-code";

/** How the new token is given to a client, in the only dialog that knows it. */
export class TokenGuidesField extends Component {
    static template = "mcp_endpoint.TokenGuidesField";
    static components = { ConnectWay };
    static props = { ...standardFieldProps };

    setup() {
        const { client } = this.props.record.data;
        this.guides = this.props.record.data[this.props.name];
        this.state = useState({ client: this.guides.some(({ key }) => key === client) ? client : FIRST });
    }

    get guide() {
        return this.guides.find(({ key }) => key === this.state.client);
    }
}

registry.category("fields").add("mcp_token_guides", {
    component: TokenGuidesField,
    supportedTypes: ["json"],
    fieldDependencies: [{ name: "client", type: "char" }],
});
