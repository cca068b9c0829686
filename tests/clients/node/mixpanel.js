// Mixpanel's own Node client: sends one of everything, says what became of each call.
// node mixpanel.js HOST:PORT TOKEN SECRET TIME (unix seconds)
const Mixpanel = require("mixpanel");

const [host, token, secret, time] = process.argv.slice(2);
const client = Mixpanel.init(token, { host, protocol: "http", keepAlive: false });
const user = "node-user";

const calls = {
  track: (done) => client.track("Signed up", { distinct_id: user, plan: "Ąžuolas & co=1+1" }, done),
  track_batch: (done) =>
    client.track_batch(
      [...Array(120).keys()].map((n) => ({ event: "Viewed", properties: { distinct_id: user, n } })),
      (errors) => done(errors && errors[0]),
    ),
  set: (done) => client.people.set(user, { plan: "pro", visits: 1, toys: ["ball"], old: true }, done),
  set_once: (done) => client.people.set_once(user, { plan: "free", first: "2026-11-24" }, done),
  increment: (done) => client.people.increment(user, { visits: 4 }, done),
  append: (done) => client.people.append(user, { toys: "rope" }, done),
  union: (done) => client.people.union(user, { toys: ["ball", "bone"] }, done),
  remove: (done) => client.people.remove(user, { toys: "rope" }, done),
  unset: (done) => client.people.unset(user, "old", done),
  track_charge: (done) => client.people.track_charge(user, 19.5, { sku: "s-1" }, done),
  group: (done) => client.groups.set("company", "acme", { seats: 5 }, done),
};

async function main() {
  const said = {};
  for (const [name, call] of Object.entries(calls)) {
    said[name] = await new Promise((resolve) => call((error) => resolve(error ? String(error) : "ok")));
  }
  console.log(JSON.stringify(said));
}

main();
