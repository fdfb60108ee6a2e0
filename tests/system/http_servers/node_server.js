// Node's http as a function that does odd things: PORT. It closes connections that were idle for a second.
const http = require('http');

const paths = {
  '/ok': (request, response) => response.end(String(request.socket.remotePort)),
  '/no-content': (request, response) => response.writeHead(204).end(),
  '/not-modified': (request, response) => response.writeHead(304).end(),
  '/redirect': (request, response) => response.writeHead(302, { Location: '/elsewhere' }).end(),
  '/throttle': (request, response) => response.writeHead(429, { 'Retry-After': '7' }).end(),
  '/close': (request, response) => response.writeHead(200, { Connection: 'close' }).end('bye'),
  '/chunked': (request, response) => {
    response.write('abc');
    response.end('de');
  },
  '/trailers': (request, response) => {
    response.writeHead(200, { Trailer: 'X-Sum' });
    response.write('abcde');
    response.addTrailers({ 'X-Sum': '1' });
    response.end();
  },
  '/informational': (request, response) => {
    response.writeContinue();
    response.writeProcessing();
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.end(String(request.socket.remotePort));
  },
  '/garbage': (request, response) => {
    response.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Smuggled\r\n\r\n');
  },
  '/trickle': (request, response) => {
    const timer = setInterval(() => response.write('x'), 200);
    response.on('close', () => clearInterval(timer));
  },
  '/endless': (request, response) => {
    const more = () => { while (response.write(Buffer.alloc(65536))); };
    response.on('drain', more);
    more();
  },
  '/reset': (request) => request.socket.resetAndDestroy(),
  '/reset-in-head': (request) => request.socket.write('HTTP/1.1 200 OK\r\nContent-', () => request.socket.resetAndDestroy()),
  '/reset-in-body': (request, response) => {
    response.writeHead(200, { 'Content-Length': 10 });
    response.write('abc', () => request.socket.resetAndDestroy());
  },
};

const server = http.createServer((request, response) => {
  if (request.url === '/early') {
    response.writeHead(413, { Connection: 'close' }).end('too large');
    return;
  }
  request.on('end', () => paths[request.url](request, response));
  request.resume();
});
server.keepAliveTimeout = 2000;
server.listen(Number(process.argv[2]), '127.0.0.1');
