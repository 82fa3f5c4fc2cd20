// A long session with an official TypeScript SDK; says what it sees as a line of JSON per step, as lasting_client_1.py.
// Arguments: the node_modules folder, the package.
const { createRequire } = require("node:module");
const readline = require("node:readline");

const [modules, name] = process.argv.slice(2);
const load = createRequire(`${modules}/x.cjs`);
const isSplit = name === "@modelcontextprotocol/client";
const part = (file) => load(isSplit ? name : `${name}/${file}`);
const { Client } = part("client/index.js");
const { StreamableHTTPClientTransport } = part("client/streamableHttp.js");
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const tell = (facts) => console.log(JSON.stringify(facts));
const person = () => lines.next();
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// The series differ in where a result's schema stands among the arguments.
function call(client, parameters, options) {
    return isSplit ? client.callTool(parameters, options) : client.callTool(parameters, undefined, options);
}

function onElicitation(client, answer) {
    if (isSplit) {
        client.setRequestHandler("elicitation/create", answer);
    } else {
        client.setRequestHandler(load(`${name}/types.js`).ElicitRequestSchema, answer);
    }
}

function transport() {
    const headers = { Authorization: `Bearer ${process.env.MCP_TOKEN}` };
    if (process.env.MCP_TRANSPORT === "sse") {
        const { SSEClientTransport } = part("client/sse.js");
        const withHeaders = (url, init) =>
            fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), ...headers } });
        return new SSEClientTransport(new URL(`${process.env.MCP_URL}/sse`), {
            requestInit: { headers },
            eventSourceInit: { fetch: withHeaders },
        });
    }
    return new StreamableHTTPClientTransport(new URL(process.env.MCP_URL), { requestInit: { headers } });
}

const STEPS = {
    async progress(client) {
        const seen = [];
        const onprogress = ({ progress, total }) => seen.push([progress, total]);
        const result = await call(client, { name: "test_tool_with_progress", arguments: {} }, { onprogress });
        tell({ step: "progress", seen, error: Boolean(result.isError) });
    },
    async cancel(client) {
        const abort = new AbortController();
        const parameters = { name: "fixture_create_slowly", arguments: { name: process.env.MCP_NAME, seconds: 20 } };
        const running = call(client, parameters, { signal: abort.signal }).catch(() => undefined);
        await pause(1500);
        abort.abort("not wanted");
        await running;
        tell({ step: "cancelled" });
    },
    async ask(client) {
        const result = await call(client, { name: "test_elicitation", arguments: { message: "Who are you?" } });
        tell({ step: "answered", error: Boolean(result.isError), text: result.content[0].text });
    },
    async resume(client) {
        tell({ step: "waiting" });
        await person();
        for (let attempt = 0; attempt < 40; attempt++) {
            try {
                const result = await call(client, { name: "greet", arguments: { name: "again" } }, { timeout: 5000 });
                tell({ step: "resumed", error: Boolean(result.isError), text: result.content[0].text });
                return;
            } catch {
                await pause(500);
            }
        }
        tell({ step: "lost" });
    },
};

async function main() {
    const capabilities = { elicitation: {} };
    const negotiation = isSplit ? { versionNegotiation: { mode: process.env.MCP_MODE || "auto" } } : {};
    const client = new Client({ name: "e2e", version: "1" }, { capabilities, ...negotiation });
    onElicitation(client, async (request) => {
        tell({ step: "asked", message: request.params.message });
        await person();
        return { action: "accept", content: { username: "ada", email: "ada@example.com" } };
    });
    const chosen = transport();
    await client.connect(chosen);
    tell({ step: "connected", protocol: isSplit ? client.getNegotiatedProtocolVersion() : chosen.protocolVersion });
    for (const step of process.env.MCP_STEPS.split(" ")) {
        await STEPS[step](client);
    }
    tell({ step: "done" });
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
