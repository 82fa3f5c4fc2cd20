import { onWillUnmount } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";

// Changes that come within so many milliseconds are shown together.
const PAUSE = 1000;

function useChangedJobs(reload) {
    const bus = useService("bus_service");
    let changed = [];
    let timer;
    const onChanged = ({ ids }) => {
        changed.push(...ids);
        timer ??= browser.setTimeout(() => {
            const shown = changed;
            [changed, timer] = [[], undefined];
            reload(shown);
        }, PAUSE);
    };
    bus.subscribe("mcp_endpoint.jobs", onChanged);
    onWillUnmount(() => {
        bus.unsubscribe("mcp_endpoint.jobs", onChanged);
        browser.clearTimeout(timer);
    });
}

class JobListController extends ListController {
    setup() {
        super.setup();
        // Who has selected jobs is about to do something with them, and would lose the selection.
        useChangedJobs(() => this.model.root.selection.length || this.model.root.load());
    }
}

class JobFormController extends FormController {
    setup() {
        super.setup();
        useChangedJobs((ids) => ids.includes(this.model.root.resId) && this.model.root.load());
    }
}

registry.category("views").add("mcp_job_list", { ...listView, Controller: JobListController });
registry.category("views").add("mcp_job_form", { ...formView, Controller: JobFormController });
