// A proxy that lets nobody out: what a browser asks of others than this machine ends here, and is noted. It sees what the browser's own
// tools don't: names that are looked up ahead, connections that are made ahead.
import { createServer } from "node:http";
import { connect } from "node:net";

// Chromium itself asks here what fields of forms are for; no page can make it.
const BROWSERS_OWN = "content-autofill.googleapis.com";

export async function lookout() {
  const asked = [];
  const server = createServer((request, answer) => {
    asked.push(request.url);
    answer.writeHead(502).end();
  });
  server.on("connect", (request, socket) => {
    socket.on("error", () => socket.destroy());
    const [host, port] = request.url.split(":");
    if (host !== "localhost") {
      if (host !== BROWSERS_OWN) asked.push(request.url);
      socket.end("HTTP/1.1 502 Nobody goes out\r\n\r\n");
      return;
    }
    const house = connect({ host, port }, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      house.pipe(socket).pipe(house);
    });
    house.on("error", () => socket.destroy());
    socket.on("close", () => house.destroy());
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    // What was asked since the last time.
    asked: () => asked.splice(0),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
