// A session with an older TypeScript SDK: list, call, hear of a change, and a batch where the revision has them.
// Arguments: the node_modules folder, the package. MCP_TRANSPORT is sse or http. Prints what it saw as JSON.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, name] = process.argv.slice(2);
const folder = `${modules}/${name}/dist/${name === "sdk-of-2024" ? "" : "esm/"}client`;
const load = (file) => import(pathToFileURL(`${folder}/${file}`).href);
const { Client } = await load("index.js");
const headers = { Authorization: `Bearer ${process.env.MCP_TOKEN}` };
const heard = [];

async function transport() {
    if (process.env.MCP_TRANSPORT === "http") {
        const { StreamableHTTPClientTransport } = await load("streamableHttp.js");
        return new StreamableHTTPClientTransport(new URL(process.env.MCP_URL), { requestInit: { headers } });
    }
    const { EventSource } = createRequire(`${modules}/x.cjs`)("eventsource");
    globalThis.EventSource = EventSource;
    const { SSEClientTransport } = await load("sse.js");
    const withHeaders = (url, init) =>
        fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), ...headers } });
    const options = { requestInit: { headers }, eventSourceInit: { fetch: withHeaders } };
    return new SSEClientTransport(new URL(`${process.env.MCP_URL}/sse`), options);
}

async function until(holds) {
    for (let waited = 0; waited < 100 && !holds(); waited++) {
        await new Promise((done) => setTimeout(done, 100));
    }
}

async function batch(chosen) {
    const answers = new Map();
    const hear = chosen.onmessage;
    chosen.onmessage = (message, ...more) => {
        if (typeof message.id === "string" && message.id.startsWith("batch")) {
            answers.set(message.id, message.result);
        } else {
            hear(message, ...more);
        }
    };
    const ask = (id, who) => ({
        jsonrpc: "2.0", id, method: "tools/call", params: { name: "greet", arguments: { name: who } },
    });
    await chosen.send([ask("batch-1", "one"), ask("batch-2", "two"), { jsonrpc: "2.0", method: "notifications/x" }]);
    await until(() => answers.size === 2);
    return [...answers].map(([id, result]) => [id, result?.content?.[0]?.text]).sort();
}

const client = new Client({ name: "older", version: "1" }, { capabilities: {} });
client.fallbackNotificationHandler = async (notification) => heard.push(notification.method);
const chosen = await transport();
await client.connect(chosen);
const { tools } = await client.listTools();
const result = await client.callTool({ name: "greet", arguments: { name: "you" } });
// The stream for notices may open a moment later.
await new Promise((done) => setTimeout(done, 1000));
await client.callTool({ name: "test_trigger_tool_change", arguments: {} });
await until(() => heard.includes("notifications/tools/list_changed"));
const batched = process.env.MCP_BATCH ? await batch(chosen) : [];
console.log(JSON.stringify({
    server: client.getServerVersion()?.name, tools: tools.length, text: result.content[0].text, heard, batched,
}));
await client.close();
process.exit(0);
