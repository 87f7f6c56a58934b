// Each line of standard input is a batch of messages, as JSON; each is added with addBulk and answered with a line that
// says what that took. Ends with its input.
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { Queue } from "bullmq";
import { Redis } from "ioredis";

const OPTIONS = { attempts: 5, backoff: { type: "exponential", delay: 1000 } };

const queue = new Queue("messages", { connection: new Redis(process.env.REDIS_URL) });
await queue.waitUntilReady();

for await (const line of createInterface({ input: process.stdin })) {
  const messages = JSON.parse(line);
  const began = performance.now();
  const before = process.cpuUsage();
  await queue.addBulk(
    messages.map(([pageId, recipientId, text]) => ({ name: "send", data: { pageId, recipientId, text }, opts: OPTIONS })),
  );
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ seconds: (performance.now() - began) / 1e3, cpu_seconds: (user + system) / 1e6 }));
}
await queue.close();
process.exit(0);
