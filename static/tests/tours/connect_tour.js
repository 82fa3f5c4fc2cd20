import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

let copied;

/** Have copies arrive here: a headless browser has no clipboard. */
function listen() {
    browser.navigator.clipboard.writeText = async (text) => {
        copied = text;
    };
}

function checkCopied(expected) {
    if (!copied?.includes(expected)) {
        throw new Error(`Copied ${copied} and not ${expected}`);
    }
}

const openPreferences = [
    {
        trigger: ".o_user_menu .dropdown-toggle",
        run: "click",
    },
    {
        trigger: "[data-menu=preferences]",
        run: "click",
    },
    {
        trigger: "a[role=tab][name=mcp]",
        run: "click",
    },
];

registry.category("web_tour.tours").add("mcp_connect", {
    url: "/odoo",
    steps: () => [
        ...openPreferences,
        {
            trigger: "button:contains('Connect an assistant')",
            run: "click",
        },
        {
            content: "The first client is open",
            trigger: "article[data-guide=claude]:contains('Add custom connector')",
            run: listen,
        },
        {
            content: "This server is on this machine, which Claude cannot reach",
            trigger: "[data-way=login] .alert-warning:contains('They cannot reach')",
        },
        {
            trigger: ".o_mcp_connect input[type=search]",
            run: "edit vs",
        },
        {
            trigger: ".o_mcp_connect nav:not(:has([data-client=claude])) [data-client=vscode]",
            run: "click",
        },
        {
            trigger: "article[data-guide=vscode] a[href^='vscode:mcp/install?']",
        },
        {
            trigger: ".o_mcp_connect input[type=search]",
            run: "edit nothing like it",
        },
        {
            trigger: ".o_mcp_connect nav:contains('Not in the list?')",
        },
        {
            trigger: ".o_mcp_connect input[type=search]",
            run: "edit codex",
        },
        {
            trigger: "[data-client=codex]",
            run: "click",
        },
        {
            trigger: "article[data-guide=codex] [data-way=login] .o_mcp_snippet button",
            run: "click",
        },
        {
            trigger: "article [data-way=login] .o_mcp_snippet button:contains('Copied')",
            run: () => checkCopied("codex mcp add odoo --url http://"),
        },
        {
            content: "The token is not made yet",
            trigger: "[data-way=token] pre:contains('omcp_pat_…')",
        },
        {
            trigger: "[data-way=token] button:contains('New token')",
            run: "click",
        },
        {
            trigger: ".modal [name=password] input",
            run: "edit mcp_employee",
        },
        {
            trigger: ".modal button:contains('Confirm Password')",
            run: "click",
        },
        {
            content: "The token is named after the client",
            trigger: ".modal .o_field_widget[name=name] input:value(Codex)",
        },
        {
            trigger: ".modal button[name=action_mint]",
            run: "click",
        },
        {
            content: "Its configuration is shown first, with the token",
            trigger: ".modal [name=guides] .o_mcp_snippet:contains('export ODOO_MCP_TOKEN=omcp_pat_') button",
            run: "click",
        },
        {
            trigger: ".modal [name=guides] .o_mcp_snippet button:contains('Copied')",
            run: () => checkCopied("export ODOO_MCP_TOKEN=omcp_pat_"),
        },
        {
            trigger: ".modal [name=guides] select",
            run: "selectByLabel Cursor",
        },
        {
            trigger: ".modal [name=guides] pre:contains('Bearer omcp_pat_')",
        },
        {
            trigger: ".modal-footer button:contains('I have copied it')",
            run: "click",
        },
        {
            content: "The page is still there, without the token",
            trigger: "body:not(:has(.modal)) article[data-guide=codex] pre:contains('omcp_pat_…')",
        },
    ],
});
