import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("mcp_jobs", {
    steps: () => [
        {
            content: "See how far each job is",
            trigger: ".o_list_view .o_data_row:has(.o_progressbar:contains('41')):contains('Running')",
        },
        {
            content: "Open the one that runs",
            trigger: ".o_data_row:contains('Running') .o_data_cell[name=name]",
            run: "click",
        },
        {
            content: "Its progress and its log are there",
            trigger: ".o_form_view:has(.o_progressbar:contains('41')) .o_field_widget[name=part_ids] .o_data_row",
        },
        {
            content: "Cancel it",
            trigger: ".o_statusbar_buttons button[name=action_cancel]",
            run: "click",
        },
        {
            content: "It says that it is about to end",
            trigger: ".alert-info:contains('It ends as soon as')",
        },
        {
            content: "Back to the list",
            trigger: ".o_breadcrumb a, .breadcrumb-item a",
            run: "click",
        },
        {
            content: "Open the one that asks",
            trigger: ".o_data_row:contains('Needs an Answer') .o_data_cell[name=name]",
            run: "click",
        },
        {
            content: "Read the question",
            trigger: ".alert-warning:contains('Doomed')",
        },
        {
            content: "Agree",
            trigger: ".o_statusbar_buttons button[name=action_agree]",
            run: "click",
        },
        {
            content: "It waits to be run",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains('Queued')",
        },
    ],
});
