import { averaged } from './average.js';

/**
 * Runs rounds of training by clients. Each round goes to the clients that are there when it begins, and ends when each of them has
 * answered, has left, or has had its time: a client that leaves or stalls keeps nobody waiting. One that was too slow is asked again
 * once it has answered.
 *
 * It waits for the first round as long as it takes until enough clients are there: that is what a server is for. It ends when
 * all clients have left.
 *
 * @param {object} options
 * @param {Float32Array} options.weights - the first ones
 * @param {number} options.clients - how many begin
 * @param {number} options.rounds
 * @param {number} options.patience - seconds that clients have for an answer in each round
 * @param {(line: string) => void} options.say
 */
export function openRounds({ weights: first, clients, rounds, patience, say }) {
  /** By connection: the client's number, the round that it owes an answer to, and whether it owed one for too long. */
  const members = new Map();
  let state = 'gathering';
  let weights = first;
  let numbers = 0;
  let round = 0;
  let updates = [];
  let timer;
  let end;
  const ended = new Promise((resolve) => (end = resolve));

  const send = (connection, message) => connection.send(JSON.stringify(message));
  const owing = () => [...members.values()].filter(({ owes }) => owes === round);
  const done = () => ({ type: 'done', rounds: round, weights: [...weights] });

  const begin = () => {
    state = 'round';
    round += 1;
    updates = [];
    // Where all have been too slow, all are asked again.
    const anew = [...members.values()].every(({ slow }) => slow);
    for (const [connection, member] of members) {
      if (anew) member.slow = false;
      if (member.slow) continue;
      member.owes = round;
      send(connection, { type: 'round', round, weights: [...weights] });
    }
    timer = setTimeout(() => {
      for (const member of owing()) {
        member.slow = true;
        say(`Round ${round}: client ${member.number} gave no answer in ${patience} s.`);
      }
      finish();
    }, patience * 1000);
  };

  const finish = () => {
    clearTimeout(timer);
    // In the clients' order: the same sum, whoever answers first.
    updates.sort((a, b) => a.number - b.number);
    weights = averaged(weights, updates);
    const samples = updates.reduce((sum, update) => sum + update.samples, 0);
    say(`Round ${round} of ${rounds}: ${updates.length} clients, ${samples} samples.`);
    if (members.size === 0) say('All clients have left.');
    if (round < rounds && members.size > 0) {
      begin();
      return;
    }
    state = 'over';
    for (const connection of members.keys()) send(connection, done());
    end({ weights, rounds: round });
  };

  const finishIfAll = () => {
    if (state === 'round' && owing().length === 0) finish();
  };

  const leave = (connection) => {
    const member = members.get(connection);
    if (member === undefined) return;
    members.delete(connection);
    if (state !== 'over') say(`Client ${member.number} has left.`);
    finishIfAll();
  };

  const refuse = (connection, reason) => {
    say(`Client ${members.get(connection)?.number ?? 'without a number'} is refused: ${reason}.`);
    connection.close(1008, reason);
    leave(connection);
  };

  const join = (connection) => {
    if (state === 'over') {
      send(connection, done());
      return;
    }
    numbers += 1;
    // A client that comes later takes part from the next round on.
    members.set(connection, { number: numbers, owes: 0, slow: false });
    say(`Client ${numbers} is there.`);
    if (state === 'gathering' && members.size === clients) begin();
  };

  const update = (connection, { round: of, samples, delta }) => {
    const fits =
      Number.isInteger(samples) &&
      samples > 0 &&
      Array.isArray(delta) &&
      delta.length === weights.length &&
      delta.every(Number.isFinite);
    if (!fits) {
      refuse(connection, `an update should have samples and ${weights.length} finite numbers`);
      return;
    }
    const member = members.get(connection);
    if (member.owes === 0) return;
    const late = of !== round || member.slow;
    member.owes = 0;
    member.slow = false;
    if (late) say(`Client ${member.number} answers late, and takes part in the next round.`);
    else updates.push({ number: member.number, samples, delta });
    finishIfAll();
  };

  return {
    /** Resolves to `{ weights, rounds }` once training is over. */
    ended,
    /** A connection is gone. */
    leave,
    /** A connection says something. */
    receive(connection, text) {
      const message = parsed(text);
      const known = members.has(connection);
      if (message?.type === 'join' && !known) join(connection);
      else if (message?.type === 'update' && known) update(connection, message);
      else if (state !== 'over') refuse(connection, 'a client should join once, then send updates');
    },
  };
}

/** The value of JSON; null for anything else. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
