// Mixpanel's own Node client under load, until our input ends; each event again until it is told that it was taken.
// node mixpanel_load.js HOST:PORT TOKEN
// The client sends nothing again by itself, and says nothing at all where an answer breaks off: then the wait is ours.
const Mixpanel = require("mixpanel");

const [host, token] = process.argv.slice(2);
const client = Mixpanel.init(token, { host, protocol: "http", verbose: true });
const taken = [];
const WAIT = 5000;
const PAUSE = 20;
let stopped = false;
let last = 0;

function sent(properties) {
  return new Promise((resolve) => {
    const given = setTimeout(resolve, WAIT, false);
    client.track("ordered", properties, (error) => {
      clearTimeout(given);
      resolve(!error);
    });
  });
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, PAUSE));
}

async function worker() {
  while (!stopped) {
    const number = (last += 1);
    const time = Math.floor(Date.now() / 1000); // one of the key's four parts: it stays the same when the event is sent again
    const properties = { distinct_id: `u${number % 20}`, n: number, time, $insert_id: `m${number}` };
    while (!(await sent(properties))) {
      await pause();
    }
    taken.push(properties.$insert_id);
    await pause();
  }
}

process.stdin.on("end", () => (stopped = true)).resume();
Promise.all([worker(), worker(), worker()]).then(() => {
  console.log(JSON.stringify({ taken, given_up: [] }));
  process.exit();
});
