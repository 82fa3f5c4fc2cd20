import { registry } from "@web/core/registry";

const openTab = [
    {
        content: "Open the user menu",
        trigger: ".o_user_menu .dropdown-toggle",
        run: "click",
    },
    {
        content: "Open the preferences",
        trigger: "[data-menu=preferences]",
        run: "click",
    },
    {
        content: "Open the tab AI Access",
        trigger: "a[role=tab][name=mcp]",
        run: "click",
    },
];

registry.category("web_tour.tours").add("mcp_new_token", {
    url: "/odoo",
    steps: () => [
        ...openTab,
        {
            content: "There is no token yet",
            trigger: ".o_form_view:contains('You have no token yet')",
        },
        {
            content: "The address of the server is shown",
            trigger: "[name=mcp_url]:contains('/mcp')",
        },
        {
            trigger: "button[name=action_new_mcp_token]",
            run: "click",
        },
        {
            content: "Odoo asks who is there",
            trigger: ".modal [name=password] input",
            run: "edit mcp_employee",
        },
        {
            trigger: ".modal button:contains('Confirm Password')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=name] input",
            run: "edit Claude on my desk",
        },
        {
            content: "Choose what it may do",
            trigger: ".modal [name=profile_id] .form-check:contains('Read and write') input",
            run: "click",
        },
        {
            trigger: ".modal [name=profile_description]:contains('Never deletes')",
        },
        {
            trigger: ".modal button[name=action_mint]",
            run: "click",
        },
        {
            content: "The token is shown with its copy button",
            trigger: ".modal [name=token]:contains('omcp_pat_') .o_clipboard_button",
        },
        {
            content: "So is the line for Claude Code",
            trigger: ".modal [name=guides] pre:contains('claude mcp add'):contains('omcp_pat_')",
        },
        {
            trigger: ".modal-footer button:contains('I have copied it')",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        ...openTab,
        {
            content: "The token is listed without its secret",
            trigger: "[name=mcp_token_ids] .o_data_row:contains('Claude on my desk'):contains('Active')",
        },
        {
            content: "The password was given a moment ago",
            trigger: "[name=mcp_token_ids] .o_data_row button[name=action_rotate]",
            run: "click",
        },
        {
            trigger: ".modal [name=keep_old] input:checked",
        },
        {
            trigger: ".modal-footer button[name=action_rotate]",
            run: "click",
        },
        {
            content: "The new secret is shown",
            trigger: ".modal-title:contains('The new secret')",
        },
        {
            trigger: ".modal-footer button:contains('I have copied it')",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        ...openTab,
        {
            content: "Open the token",
            trigger: "[name=mcp_token_ids] .o_data_row td[name=name]",
            run: "click",
        },
        {
            content: "The old secret still works",
            trigger: ".modal [name=overlap_note]:contains('Nobody has used it since the rotation')",
        },
        {
            trigger: ".modal button[name=action_end_overlap]",
            run: "click",
        },
        {
            trigger: ".modal:contains('cut off at once') .modal-footer .btn-primary:contains('Ok')",
            run: "click",
        },
        {
            trigger: ".o_notification:contains('The old secret has stopped working')",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        ...openTab,
        {
            trigger: "[name=mcp_token_ids] .o_data_row button[name=action_revoke]",
            run: "click",
        },
        {
            content: "Odoo asks before it revokes",
            trigger: ".modal:contains('This cannot be undone') .modal-footer .btn-primary",
            run: "click",
        },
        {
            trigger: ".o_notification:contains('Revoked')",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        ...openTab,
        {
            trigger: "[name=mcp_token_ids] .o_data_row:contains('Revoked')",
        },
    ],
});
