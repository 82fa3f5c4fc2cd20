import { Component, onWillStart, useEffect, useRef, useState } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { cookie } from "@web/core/browser/cookie";
import { getColor } from "@web/core/colors/colors";
import { formatDateTime, deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const { DateTime } = luxon;
// As the badges of the audit log have them.
const OUTCOMES = [
    { key: "ok", label: _t("Done"), variable: "--bs-success", fallback: "#28a745" },
    { key: "asked", label: _t("Asked"), variable: "--bs-info", fallback: "#17a2b8" },
    { key: "cancelled", label: _t("Cancelled"), variable: "--bs-secondary", fallback: "#6c757d" },
    { key: "error", label: _t("Errors"), variable: "--bs-warning", fallback: "#e99d00" },
    { key: "refused", label: _t("Refused"), variable: "--bs-danger", fallback: "#d44c59" },
];

export class McpOverview extends Component {
    static template = "mcp_endpoint.Overview";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.periods = [
            { key: "day", label: _t("Day") },
            { key: "week", label: _t("Week") },
            { key: "month", label: _t("Month") },
        ];
        this.state = useState({ period: "week", data: null });
        this.canvas = useRef("canvas");
        onWillStart(() => Promise.all([loadBundle("web.chartjs_lib"), this.load(this.state.period)]));
        useEffect(
            () => {
                const chart = this.canvas.el && this.draw();
                return () => chart && chart.destroy();
            },
            () => [this.state.data]
        );
    }

    async load(period) {
        this.state.data = await this.orm.call("mcp.overview", "read_overview", [period]);
        this.state.period = period;
    }

    get isEmpty() {
        return !this.state.data.steps.call;
    }

    get tiles() {
        const { totals, latency, client_count } = this.state.data;
        const filtered = (outcome) => [["outcome", "=", outcome]];
        return [
            { label: _t("Requests"), value: this.number(totals.all), domain: [] },
            { label: _t("Errors"), value: this.number(totals.error), domain: filtered("error"), class: "text-warning" },
            { label: _t("Refused"), value: this.number(totals.refused), domain: filtered("refused"), class: "text-danger" },
            { label: _t("Median Call"), value: this.duration(latency.p50), domain: [["method", "=", "tools/call"]] },
            { label: _t("95 % of Calls Within"), value: this.duration(latency.p95), domain: [["method", "=", "tools/call"]] },
            { label: _t("Clients"), value: this.number(client_count), domain: [["client", "!=", false]] },
        ];
    }

    get lists() {
        const data = this.state.data;
        return [
            {
                title: _t("Tools"),
                rows: data.tools,
                domain: ({ value }) => ["|", ["tool", "=", value], "&", ["tool", "=", false], ["method", "=", value]],
            },
            { title: _t("Users"), rows: data.users, domain: ({ value }) => [["user_id", "=", value]], adminOnly: true },
            { title: _t("Clients"), rows: data.clients, domain: ({ value }) => [["client", "=", value || false]] },
            {
                title: _t("Why Refused"),
                rows: data.reasons,
                domain: ({ value }) => [["outcome", "=", "refused"], ["reason", "=like", `${escapeLike(value || "")}%`]],
                none: _t("Nothing was refused."),
                wide: true,
            },
        ].filter((list) => data.is_admin || !list.adminOnly);
    }

    get steps() {
        const { steps, is_admin } = this.state.data;
        return [
            {
                done: steps.group,
                title: _t("Let people connect"),
                text: _t("Who is in the group MCP User may connect assistants. The settings open it to every employee."),
                button: is_admin && _t("Settings"),
                action: "mcp_endpoint.action_mcp_settings",
            },
            {
                done: steps.token,
                title: _t("Make a token"),
                text: _t("In My Preferences → AI Access, for one assistant at a time. It is shown once."),
                button: is_admin && _t("Tokens"),
                action: "mcp_endpoint.action_mcp_token",
            },
            {
                done: steps.call,
                title: _t("Connect the assistant"),
                text: _t("Give it the address and the token, then ask it something about your data. It appears here."),
            },
        ];
    }

    share(row, rows) {
        return Math.round((100 * row.requests) / Math.max(1, rows[0].requests));
    }

    number(value) {
        return new Intl.NumberFormat(undefined, { notation: value >= 100000 ? "compact" : "standard" }).format(value);
    }

    duration(milliseconds) {
        if (milliseconds === null) {
            return "–";
        }
        return milliseconds >= 1000
            ? _t("%s s", (milliseconds / 1000).toFixed(1))
            : _t("%s ms", Math.round(milliseconds));
    }

    moment(text) {
        return formatDateTime(deserializeDateTime(text), { showSeconds: false });
    }

    open(domain, title) {
        this.action.doAction({
            type: "ir.actions.act_window",
            name: title,
            res_model: "mcp.audit.log",
            views: [
                [false, "list"],
                [false, "form"],
                [false, "graph"],
                [false, "pivot"],
            ],
            domain: [["date", ">=", this.state.data.since], ...domain],
        });
    }

    openToken(token) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "mcp.token",
            res_id: token.id,
            views: [[false, "form"]],
        });
    }

    draw() {
        const style = getComputedStyle(this.canvas.el);
        const format = this.state.period === "day" ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" };
        const grid = cookie.get("color_scheme") === "dark" ? "rgba(255,255,255,.1)" : "rgba(0,0,0,.1)";
        const text = style.color || getColor(15, cookie.get("color_scheme"));
        return new Chart(this.canvas.el, {
            type: "bar",
            data: {
                labels: this.state.data.series.map((point) => DateTime.fromISO(point.at).toLocaleString(format)),
                datasets: OUTCOMES.map(({ key, label, variable, fallback }) => ({
                    label: label.toString(),
                    data: this.state.data.series.map((point) => point[key]),
                    backgroundColor: style.getPropertyValue(variable).trim() || fallback,
                    maxBarThickness: 40,
                })),
            },
            options: {
                animation: false,
                maintainAspectRatio: false,
                plugins: { legend: { position: "bottom", labels: { color: text, boxWidth: 12 } } },
                scales: {
                    x: { stacked: true, grid: { display: false }, ticks: { color: text, maxRotation: 0, autoSkip: true } },
                    y: { stacked: true, beginAtZero: true, grid: { color: grid }, ticks: { color: text, precision: 0 } },
                },
            },
        });
    }
}

function escapeLike(text) {
    return text.replace(/[\\%_]/g, "\\$&");
}

registry.category("actions").add("mcp_overview", McpOverview);
