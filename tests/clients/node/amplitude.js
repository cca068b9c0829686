// Amplitude's own Node client: sends one of everything, says what each call was answered.
// node amplitude.js SERVER_URL KEY USER
const amplitude = require("@amplitude/analytics-node");

const [serverUrl, key, user] = process.argv.slice(2);
const who = { user_id: user, device_id: `${user}-device` };

function profile() {
  return new amplitude.Identify()
    .set("plan", "pro")
    .set("toys", ["ball"])
    .setOnce("first", "2026-11-24")
    .add("visits", 4)
    .append("seen", "a")
    .prepend("shown", "b")
    .postInsert("tags", "x")
    .preInsert("marks", "w")
    .unset("old");
}

async function main() {
  await amplitude.init(key, { serverUrl, flushIntervalMillis: 200, logLevel: 0 }).promise;
  const calls = {
    track: amplitude.track("Order paid", { total: 19.5, items: ["ą", "b"] }, who),
    identify: amplitude.identify(profile(), who),
    again: amplitude.identify(
      new amplitude.Identify().setOnce("first", "later").remove("toys", "ball").prepend("seen", "b").preInsert("tags", "w"),
      who,
    ),
    set_group: amplitude.setGroup("company", "acme", who),
    group_identify: amplitude.groupIdentify("company", "acme", new amplitude.Identify().set("seats", 5), who),
    revenue: amplitude.revenue(new amplitude.Revenue().setProductId("s-1").setPrice(9.75).setQuantity(2), who),
  };
  amplitude.flush();
  const said = {};
  for (const [name, call] of Object.entries(calls)) {
    said[name] = (await call.promise).code;
  }
  console.log(JSON.stringify(said));
}

main();
