// Node's http2 as a function that ends streams and connections in all ways. Usage: http2_server.js PORT
const http2 = require("http2");
const { NGHTTP2_REFUSED_STREAM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = http2.constants;

let streams = 0;
let sessions = 0;
const server = http2.createServer({ settings: { maxConcurrentStreams: 8 } });
server.on("session", (session) => {
    session.number = ++sessions;
});
server.on("sessionError", () => {});
server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    const number = ++streams;
    const ok = () => {
        stream.respond({ ":status": 200 });
        stream.end(String(stream.session.number));
    };
    switch (headers[":path"]) {
        case "/refuse-some": // each third one
            return number % 3 === 0 ? stream.close(NGHTTP2_REFUSED_STREAM) : ok();
        case "/reset":
            return stream.close(NGHTTP2_INTERNAL_ERROR);
        case "/reset-in-body":
            stream.respond({ ":status": 200 });
            return stream.write("begun", () => stream.destroy(new Error("reset")));
        case "/goaway-some": // each tenth one is the last of its connection
            ok();
            return number % 10 === 0 && stream.session.goaway(NGHTTP2_NO_ERROR, stream.id);
        case "/destroy":
            return stream.session.destroy();
        case "/informational":
            stream.additionalHeaders({ ":status": 103, link: "</style.css>; rel=preload" });
            return ok();
        case "/trailers":
            stream.respond({ ":status": 200, "x-own": "1" }, { waitForTrailers: true });
            stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "1" }));
            return stream.end("body");
        default:
            return ok();
    }
});
server.listen(Number(process.argv[2]), "127.0.0.1");
