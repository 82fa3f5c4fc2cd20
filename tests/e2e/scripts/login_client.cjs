// A whole login with an official TypeScript SDK: no credentials but what OAuth brings.
// Arguments: the node_modules folder, the package. Says AUTHORIZE with the address for the person's browser; connects,
// lists, calls, says CONNECTED, waits for a line, calls again, and prints what it saw as JSON.
const http = require("node:http");
const readline = require("node:readline");
const { createRequire } = require("node:module");

const [modules, name] = process.argv.slice(2);
const load = createRequire(`${modules}/x.cjs`);
const isSplit = name === "@modelcontextprotocol/client";
const { Client } = load(isSplit ? name : `${name}/client/index.js`);
const { StreamableHTTPClientTransport } = load(isSplit ? name : `${name}/client/streamableHttp.js`);
const { UnauthorizedError } = load(isSplit ? name : `${name}/client/auth.js`);

const CALL = { name: "odoo_search_records", arguments: { model: "res.partner", fields: ["name"], limit: 3 } };

function provider(redirectUrl) {
    const kept = { logins: 0 };
    return {
        kept,
        redirectUrl,
        clientMetadataUrl: process.env.MCP_CLIENT_DOCUMENT,
        clientMetadata: {
            client_name: "TypeScript login",
            redirect_uris: [redirectUrl],
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
            token_endpoint_auth_method: "none",
        },
        state: () => "state-of-the-client",
        clientInformation: () => kept.client,
        saveClientInformation: (client) => { kept.client = client; },
        tokens: () => kept.tokens,
        saveTokens: (tokens) => { kept.tokens = tokens; },
        codeVerifier: () => kept.verifier,
        saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
        // The second series looks the server up anew when it comes back, unless it may keep this.
        discoveryState: () => kept.discovery,
        saveDiscoveryState: (discovery) => { kept.discovery = discovery; },
        redirectToAuthorization: (url) => { kept.logins += 1; console.log(`AUTHORIZE ${url}`); },
    };
}

function callback() {
    let resolve;
    const parameters = new Promise((found) => { resolve = found; });
    const server = http.createServer((request, response) => {
        const query = new URL(request.url, "http://localhost").searchParams;
        response.end("done");
        if (query.has("code")) {
            resolve(query);
        }
    });
    return new Promise((ready) => server.listen(0, "127.0.0.1", () => ready([server.address().port, parameters])));
}

async function connect(auth) {
    const client = new Client({ name: "e2e", version: "1" }, isSplit ? { versionNegotiation: { mode: "auto" } } : {});
    const transport = new StreamableHTTPClientTransport(new URL(process.env.MCP_URL), { authProvider: auth });
    try {
        await client.connect(transport);
        return client;
    } catch (error) {
        // The error of what was tried first may be wrapped.
        if (!(error instanceof UnauthorizedError) && !auth.kept.logins) {
            throw error;
        }
        throw Object.assign(new Error("login"), { transport });
    }
}

async function main() {
    const [port, parameters] = await callback();
    const auth = provider(`http://localhost:${port}/callback`);
    let client = await connect(auth).catch(async ({ transport, ...error }) => {
        if (!transport) {
            throw error;
        }
        const query = await parameters;
        await transport.finishAuth(isSplit ? query : query.get("code"));
        return connect(auth);
    });
    const { tools } = await client.listTools();
    await client.callTool(CALL);
    const first = auth.kept.tokens;
    console.log("CONNECTED");
    await new Promise((line) => readline.createInterface({ input: process.stdin }).once("line", line));
    const result = await client.callTool(CALL);
    const now = auth.kept.tokens;
    console.log(JSON.stringify({
        tools: tools.map((tool) => tool.name),
        client_id: auth.kept.client.client_id,
        scope: now.scope,
        logins: auth.kept.logins,
        is_refreshed: now.access_token !== first.access_token && now.refresh_token !== first.refresh_token,
        error: Boolean(result.isError),
        structured: result.structuredContent,
    }));
    await client.close();
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
