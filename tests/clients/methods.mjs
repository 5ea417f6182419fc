// Which operations a published client has methods for, found out from the client itself: every
// method is called once against a server that only writes down what it is asked.
//
// So that no method is forgotten: the story records what it calls, and is not done before it has
// called each method whose operation the server's own document has.
import { createServer } from "node:http";

/// Every method of a client, also of what it holds, as `[path, call]`.
function* methodsOf(client, path = []) {
  const names = new Set();
  for (let one = client; one && one !== Object.prototype; one = Object.getPrototypeOf(one)) {
    Object.getOwnPropertyNames(one).forEach((name) => names.add(name));
  }
  for (const name of names) {
    if (name === "constructor" || name.startsWith("_")) continue;
    const value = client[name];
    if (typeof value === "function") yield [[...path, name], value.bind(client)];
    else if (isResource(value)) yield* methodsOf(value, [...path, name]);
  }
}

function isResource(value) {
  return typeof value === "object" && value !== null && "requestCtx" in value;
}

/// What may stand for any argument: a name in a path, a body, options.
const anything = new Proxy(
  {},
  {
    get: (_, name) => {
      if (name === Symbol.toPrimitive || name === "toString") return () => "x";
      if (name === "toJSON") return () => ({});
      return undefined;
    },
  },
);

/// The operations that each method asks for, as `GET /api/v1/app/x`.
async function asked(make) {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url.split("?")[0]}`);
    request.resume().on("end", () => {
      response.writeHead(400, { "content-type": "application/json" });
      response.end('{"code":"recorded","detail":"only written down"}');
    });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const found = new Map();
  for (const [path, call] of methodsOf(make(`http://127.0.0.1:${server.address().port}`))) {
    requests.length = 0;
    await Promise.resolve()
      .then(() => call(...Array(6).fill(anything)))
      .catch(() => {});
    found.set(path.join("."), [...requests]);
  }
  server.closeAllConnections();
  server.close();
  return found;
}

/// Lets a client's methods note that they were called and answered.
export function recording(client, called, path = []) {
  return new Proxy(client, {
    get(target, name) {
      const value = target[name];
      const at = [...path, name];
      if (typeof value === "function") {
        return (...args) => {
          const answer = value.apply(target, args);
          answer?.then?.(
            () => called.add(at.join(".")),
            () => {},
          );
          return answer;
        };
      }
      return isResource(value) ? recording(value, called, at) : value;
    },
  });
}

/// The methods that were not called though the server has their operation, and how many it has.
export async function forgotten(make, called, serverUrl) {
  const document = await (await fetch(`${serverUrl}/api/v1/openapi.json`)).json();
  const known = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map(
      (method) => new RegExp(`^${method.toUpperCase()} ${path.replace(/\{[^}]+\}/g, "[^/]+")}$`),
    ),
  );
  const methods = [...(await asked(make))];
  const silent = methods.filter(([, requests]) => requests.length === 0).map(([name]) => name);
  const built = methods.filter(([, requests]) =>
    requests.some((request) => known.some((operation) => operation.test(request))),
  );
  const missing = built.map(([name]) => name).filter((name) => !called.has(name));
  return { missing, silent, methods: methods.length, built: built.length };
}
