import { browser } from "@web/core/browser/browser";
import { Component, onWillUnmount, useRef, useState } from "@odoo/owl";

const COPIED_FOR = 2000;

/** Text to copy, with what it is. */
export class ConnectSnippet extends Component {
    static template = "mcp_endpoint.ConnectSnippet";
    static props = { where: String, text: String };

    setup() {
        this.code = useRef("code");
        this.state = useState({ copied: false });
        onWillUnmount(() => browser.clearTimeout(this.timer));
    }

    async copy() {
        try {
            await browser.navigator.clipboard.writeText(this.props.text);
        } catch {
            // Without https browsers have no clipboard. Selected text can be copied in the old way, or by hand.
            const selection = document.getSelection();
            selection.selectAllChildren(this.code.el);
            if (!document.execCommand("copy")) {
                return;
            }
        }
        this.state.copied = true;
        browser.clearTimeout(this.timer);
        this.timer = browser.setTimeout(() => (this.state.copied = false), COPIED_FOR);
    }
}

/** One way to connect a client: steps, a link that does it, and what to copy. */
export class ConnectWay extends Component {
    static template = "mcp_endpoint.ConnectWay";
    static components = { ConnectSnippet };
    static props = { way: Object };

    /** The parts of a step: `*…*` is on the screen, backticks are typed. */
    parts(step) {
        return step
            .split(/(\*[^*]+\*|`[^`]+`)/)
            .filter(Boolean)
            .map((part) => {
                const tag = { "*": "b", "`": "code" }[part.length > 2 ? part[0] : ""];
                return { tag, text: tag ? part.slice(1, -1) : part };
            });
    }
}
