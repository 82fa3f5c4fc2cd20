import { registry } from "@web/core/registry";

// Opened at the request itself, as from its mail or activity.
registry.category("web_tour.tours").add("mcp_approve", {
    steps: () => [
        {
            content: "It shows what would be deleted",
            trigger: ".o_mcp_preview:contains('Doomed')",
            timeout: 40000,
        },
        {
            content: "Approve",
            trigger: "button[name=action_approve]",
            run: "click",
        },
        {
            content: "It was run, and cannot be decided again",
            trigger: ".o_form_view:not(:has(button[name=action_approve]:visible)) .o_statusbar_status:contains('Approved')",
            timeout: 40000,
        },
    ],
});

registry.category("web_tour.tours").add("mcp_approve_phone", {
    steps: () => [
        {
            content: "It shows what would be deleted",
            trigger: ".o_mcp_preview:contains('Doomed')",
            timeout: 40000,
        },
        {
            content: "Refuse",
            trigger: "button[name=action_refuse]",
            run: "click",
        },
        {
            content: "It cannot be decided again",
            trigger: ".o_form_view:not(:has(button[name=action_approve]:visible))",
        },
    ],
});
