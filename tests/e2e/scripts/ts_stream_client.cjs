// A session with the official TypeScript SDK over a transport with a stream; prints what it saw as JSON.
// Arguments: the node_modules folder, the package, `sse` or `http`. Reads MCP_URL, MCP_TOKEN and MCP_RESOURCE.
const { createRequire } = require("node:module");

const [modules, name, kind] = process.argv.slice(2);
const load = createRequire(`${modules}/x.cjs`);
const { Client } = load(`${name}/client/index.js`);
const { SSEClientTransport } = load(`${name}/client/sse.js`);
const { StreamableHTTPClientTransport } = load(`${name}/client/streamableHttp.js`);
const { ResourceUpdatedNotificationSchema } = load(`${name}/types.js`);
const PATIENCE = 20_000;

async function main() {
    const headers = { Authorization: `Bearer ${process.env.MCP_TOKEN}` };
    const Transport = kind === "sse" ? SSEClientTransport : StreamableHTTPClientTransport;
    const options = { requestInit: { headers } };
    if (kind === "sse") {
        options.eventSourceInit = {
            fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...headers, Accept: "text/event-stream" } }),
        };
    }
    const transport = new Transport(new URL(process.env.MCP_URL), options);
    const client = new Client({ name: "e2e", version: "1" }, {});
    await client.connect(transport);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const uri = process.env.MCP_RESOURCE;
    const [model, id] = uri.replace("odoo://record/", "").split("/");
    const changed = new Promise((resolve, reject) => {
        client.setNotificationHandler(ResourceUpdatedNotificationSchema, (message) => resolve(message.params.uri));
        setTimeout(() => reject(new Error("no notification")), PATIENCE);
    });
    const { tools } = await client.listTools();
    await client.subscribeResource({ uri });
    const values = { comment: `${Date.now()}` };
    const result = await client.callTool({ name: "odoo_update_records", arguments: { model, ids: [Number(id)], values } });
    const updated = await changed;
    const progress = [];
    await client.callTool({ name: "test_tool_with_progress" }, undefined, {
        onprogress: ({ progress: done, total }) => progress.push([done, total]),
    });
    console.log(JSON.stringify({
        tools: tools.map((tool) => tool.name),
        error: Boolean(result.isError),
        updated,
        progress,
    }));
    await client.close();
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
