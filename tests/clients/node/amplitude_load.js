// Amplitude's own Node client under load, until our input ends; it sends again by itself, as often as it does by default.
// node amplitude_load.js SERVER_URL KEY
const amplitude = require("@amplitude/analytics-node");

const [serverUrl, key] = process.argv.slice(2);
const taken = [];
const givenUp = [];
const said = [];

function send(number) {
  const event = { insert_id: `a${number}`, user_id: `user-${number % 20}`, device_id: `device-${number % 30}` };
  const told = amplitude.track("paid", { n: number }, event).promise;
  said.push(told.then(({ code }) => (code === 200 ? taken : givenUp).push(event.insert_id)));
}

async function main() {
  await amplitude.init(key, { serverUrl, flushIntervalMillis: 100, flushQueueSize: 30, logLevel: 0 }).promise;
  let number = 0;
  const load = setInterval(() => send((number += 1)), 10);
  await new Promise((resolve) => process.stdin.on("end", resolve).resume());
  clearInterval(load);
  amplitude.flush();
  await Promise.all(said);
  console.log(JSON.stringify({ taken, given_up: givenUp }));
  process.exit();
}

main();
