// A session with an official TypeScript SDK: connect, list, call; prints what it saw as JSON.
// Arguments: the node_modules folder, the package. Reads MCP_URL and MCP_TOKEN.
const { createRequire } = require("node:module");

const [modules, name] = process.argv.slice(2);
const load = createRequire(`${modules}/x.cjs`);
const isSplit = name === "@modelcontextprotocol/client";
const { Client } = load(isSplit ? name : `${name}/client/index.js`);
const { StreamableHTTPClientTransport } = load(isSplit ? name : `${name}/client/streamableHttp.js`);

async function main() {
    const headers = { Authorization: `Bearer ${process.env.MCP_TOKEN}` };
    const transport = new StreamableHTTPClientTransport(new URL(process.env.MCP_URL), { requestInit: { headers } });
    const options = isSplit ? { versionNegotiation: { mode: process.env.MCP_MODE || "auto" } } : {};
    const client = new Client({ name: "e2e", version: "1" }, options);
    await client.connect(transport);
    const { tools } = await client.listTools();
    const parameters = { model: "res.partner", fields: ["name"], limit: 3 };
    const result = await client.callTool({ name: "odoo_search_records", arguments: parameters });
    console.log(JSON.stringify({
        protocol: isSplit ? client.getNegotiatedProtocolVersion() : transport.protocolVersion,
        server: client.getServerVersion()?.name,
        tools: tools.map((tool) => tool.name),
        error: Boolean(result.isError),
        text: result.content[0].text,
        structured: result.structuredContent,
    }));
    await client.close();
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
