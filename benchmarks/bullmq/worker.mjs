// BullMQ in its strongest form: undici.request with a connection for every job in hand, a prepared INSERT, nothing kept
// of a finished job in Redis. REDIS_URL, DATABASE_URL, GRAPH_URL, CONCURRENCY and, for TLS, CA_FILE say the rest.
import { readFileSync } from "node:fs";
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import pg from "pg";
import { Agent, request } from "undici";

const { REDIS_URL, DATABASE_URL, GRAPH_URL, PAGE_ACCESS_TOKEN, CA_FILE } = process.env;
const concurrency = Number(process.env.CONCURRENCY);

const INSERT = {
  name: "sent",
  text: `INSERT INTO sent_messages (page_id, recipient_id, text, message_id, sent_at)
         VALUES ($1, $2, $3, $4, now() AT TIME ZONE 'utc')`,
};
const HEADERS = { "content-type": "application/json" };

const dispatcher = new Agent({
  connections: concurrency,
  pipelining: 1,
  keepAliveTimeout: 60_000,
  connect: CA_FILE ? { ca: readFileSync(CA_FILE) } : undefined,
});
const database = new pg.Pool({ connectionString: DATABASE_URL, max: 20, idleTimeoutMillis: 0 });

async function call(pageId, body) {
  const answer = await request(`${GRAPH_URL}/v25.0/${pageId}/messages?access_token=${PAGE_ACCESS_TOKEN}`, {
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify(body),
    dispatcher,
  });
  const content = await answer.body.json();
  if (answer.statusCode !== 200) throw new Error(`Graph answered ${answer.statusCode}`);
  return content;
}

async function send({ data: { pageId, recipientId, text } }) {
  const recipient = { id: recipientId };
  await call(pageId, { recipient, sender_action: "typing_on" });
  const answer = await call(pageId, { recipient, messaging_type: "RESPONSE", message: { text } });
  await call(pageId, { recipient, sender_action: "typing_off" });
  await database.query({ ...INSERT, values: [pageId, recipientId, text, answer.message_id] });
}

const worker = new Worker("messages", send, {
  connection: new Redis(REDIS_URL, { maxRetriesPerRequest: null }),
  concurrency,
  removeOnComplete: { count: 0 },
});
worker.on("error", (error) => console.error("worker:", error));
worker.on("failed", (job, error) => console.error("job", job?.id, "failed:", error));

async function stop() {
  await worker.close();
  await database.end();
  process.exit(0);
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
