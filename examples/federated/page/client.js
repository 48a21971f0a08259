/**
 * Takes part in a training: in each round it takes the server's weights, trains them on its own data, and sends what changed.
 * The data stay here.
 *
 * @param {WebSocket} socket - open, or about to be
 * @param {{ network: ReturnType<typeof import('./network.js').makeNetwork>, data: object, samples: number, epochs: number,
 *   onRound?: (round: number) => void }} part
 * @returns `{ rounds }`, how many there were; the network has the averaged weights then
 */
export function takePart(socket, { network, data, samples, epochs, onRound }) {
  const send = (message) => socket.send(JSON.stringify(message));
  /** The newest message that has not been followed: a client that was too slow for a round goes on with the next one. */
  let newest = null;
  let busy = false;
  return new Promise((resolve, reject) => {
    const follow = async ({ type, round, rounds, weights }) => {
      network.setWeights(Float32Array.from(weights));
      if (type === 'done') {
        resolve({ rounds });
        return;
      }
      onRound?.(round);
      await network.train(data, { epochs, seed: round });
      const delta = Array.from(network.weights(), (value, i) => value - weights[i]);
      send({ type: 'update', round, samples, delta });
    };
    const followAll = async () => {
      if (busy) return;
      busy = true;
      while (newest !== null) {
        const message = newest;
        newest = null;
        await follow(message);
      }
      busy = false;
    };
    socket.addEventListener('open', () => send({ type: 'join' }));
    socket.addEventListener('message', ({ data: text }) => {
      newest = JSON.parse(text);
      followAll().catch(reject);
    });
    // How long a round waits is the server's business; when it goes away, the connection closes.
    socket.addEventListener('close', ({ reason }) => {
      if (newest?.type !== 'done') reject(new Error(reason || 'The server has gone.'));
    });
  });
}
