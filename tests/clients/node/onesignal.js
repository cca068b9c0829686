// OneSignal's own Node client: asks one of everything that cohorts need, says what it read of each answer.
// node onesignal.js ADDRESS APP_ID REST_KEY ORGANIZATION_KEY
const OneSignal = require("@onesignal/node-onesignal");

const [address, app, restApiKey, organizationApiKey] = process.argv.slice(2);
const baseServer = new OneSignal.ServerConfiguration(address, {});
const client = new OneSignal.DefaultApi(OneSignal.createConfiguration({ baseServer, restApiKey, organizationApiKey }));
const stranger = new OneSignal.DefaultApi(OneSignal.createConfiguration({ baseServer, restApiKey: "wrong" }));
const by = [app, "external_id", "nöde/user"];
const segment = "3f0c3c5e-5d2c-4b63-9c5d-0d9f1f6f7a10";
const tag = (tags, whom = by) => client.updateUser(...whom, { properties: { tags } });
let subscription;

// In order; each works on what those before it left.
const steps = {
  app: () => client.getApp(app),
  hasty: () => client.getApp(app),
  create: () =>
    client.createUser(app, {
      identity: { external_id: by[2] },
      properties: { tags: { plan: "pro" }, language: "en" },
      subscriptions: [{ type: "Email", token: "node@example.com" }],
    }),
  create_again: () => client.createUser(app, { identity: { external_id: by[2] } }),
  update: () => tag({ plan: "", cohort: "1" }),
  view: () => client.getUser(...by),
  too_many_tags: () => tag(Object.fromEntries([...Array(10).keys()].map((n) => [`k${n}`, "1"]))),
  unknown: () => tag({ cohort: "1" }, [app, "external_id", "nobody"]),
  malformed: () => tag({ cohort: "1" }, [app, "onesignal_id", "7"]),
  wrong_key: () => stranger.getSegments(app),
  alias: () => client.createAlias(...by, { identity: { crm: "c-1" } }),
  aliases: () => client.getAliases(app, "crm", "c-1"),
  unalias: () => client.deleteAlias(...by, "crm"),
  subscribe: async () => {
    const made = await client.createSubscription(...by, { subscription: { type: "AndroidPush", token: "node-token" } });
    subscription = made.subscription.id;
    return made;
  },
  disable: () => client.updateSubscription(app, subscription, { subscription: { enabled: false } }),
  enable_by_token: () => client.updateSubscriptionByToken(app, "AndroidPush", "node-token", { subscription: { enabled: true } }),
  owner: () => client.getAliasesBySubscription(app, subscription),
  alias_by_subscription: () => client.createAliasBySubscription(app, subscription, { identity: { erp: "e-1" } }),
  transfer: async () => {
    await client.createUser(app, { identity: { external_id: "other" } });
    return client.transferSubscription(app, subscription, { identity: { external_id: "other" } });
  },
  unsubscribe: () => client.deleteSubscription(app, subscription),
  segment: () =>
    client.createSegment(app, { id: segment, name: "Cohort", filters: [{ field: "tag", key: "cohort", relation: "exists" }] }),
  segment_again: () =>
    client.createSegment(app, { id: segment, name: "Other", filters: [{ field: "country", relation: "=", value: "LT" }] }),
  segments: () => client.getSegments(app, 0, 300),
  segment_detail: () => client.getSegment(app, segment, true),
  segment_update: () =>
    client.updateSegment(app, segment, {
      name: "Renamed",
      filters: [
        { field: "tag", key: "cohort", relation: "=", value: "2" },
        { operator: "OR" },
        { field: "tag", key: "cohort", relation: "=", value: "1" },
      ],
    }),
  segment_count: () => client.getSegment(app, segment),
  segment_delete: () => client.deleteSegment(app, segment),
  segment_gone: () => client.getSegment(app, segment),
  export: () => client.exportSubscriptions(app, { extra_fields: ["external_user_id"] }),
  delete: () => client.deleteUser(...by),
  gone: () => client.getUser(...by),
};

async function main() {
  const said = {};
  for (const [name, step] of Object.entries(steps)) {
    try {
      said[name] = await step();
    } catch (error) {
      said[name] = { status: error.code, words: error.errorMessages, after: error.headers?.["retry-after"] };
    }
  }
  console.log(JSON.stringify(said));
}

main();
