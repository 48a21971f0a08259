// `node server/main.js [clients=3] [rounds=10] [patience=30] [port=8080]`: serves the page, and averages what pages have learnt.
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { useBackend } from '@multigrad/backends';
import { WebSocketServer } from 'ws';
import { makeNetwork } from '../page/network.js';
import { openRounds } from './rounds.js';

const given = Object.fromEntries(process.argv.slice(2).map((word) => word.split('=')));
const number = (name, fallback) => {
  const value = Number(given[name] ?? fallback);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`${name} should be an integer >= 0. Found ${given[name]}.`);
};

await useBackend('cpu');
const network = makeNetwork();
const training = openRounds({
  weights: network.weights(),
  clients: number('clients', 3),
  rounds: number('rounds', 10),
  patience: number('patience', 30),
  say: (line) => console.log(line),
});

const folder = join(import.meta.dirname, '../dist');
const types = { '.html': 'text/html', '.js': 'text/javascript' };
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  const path = join(folder, pathname === '/' ? 'index.html' : pathname);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    response.writeHead(404).end();
    return;
  }
  const type = types[extname(path)] ?? 'application/octet-stream';
  response.writeHead(200, { 'Content-Type': type }).end(readFileSync(path));
});

const sockets = new WebSocketServer({ server, maxPayload: 2 ** 20 });
sockets.on('connection', (socket) => {
  socket.on('message', (text) => training.receive(socket, String(text)));
  socket.on('close', () => training.leave(socket));
  socket.on('error', (error) => console.log(`A connection failed: ${error.message}`));
});
server.listen(number('port', 8080), '127.0.0.1', () => {
  console.log(`Open http://127.0.0.1:${server.address().port}/?client=0&clients=3 and so on`);
});

const { rounds } = await training.ended;
console.log(`Done after ${rounds} rounds.`);
network.dispose();
// `ws` waits 30 s for clients that do not answer.
for (const socket of sockets.clients) socket.close(1000, 'Training is over.');
sockets.close();
server.close();
server.closeIdleConnections();
