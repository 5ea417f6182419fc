// Runs a receiver's example of the documentation over requests that arrived.
//
// EXAMPLE is its text, GIVEN what it expects to be there already, as JSON, and CALL how it is called
// with what is known of a request. Each line of standard input is a request, with what the call
// gives back: null where it refuses, which it does by an error, by false or by nothing.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

Object.assign(globalThis, JSON.parse(process.env.GIVEN));
const beside = new URL("the-example.mjs", import.meta.url);
const call = `export const call = async ({ method, path, headers, body }) => (${process.env.CALL});`;
writeFileSync(beside, `${process.env.EXAMPLE}\n${call}\n`);
const example = await import(beside);

let judged = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const one = JSON.parse(line);
  let gave = null;
  let why = null;
  try {
    gave = (await example.call({ ...one, body: Buffer.from(one.body, "base64") })) || null;
  } catch (error) {
    why = error;
  }
  assert.deepEqual(gave, one.gives, `of ${line}: ${why}`);
  judged += 1;
}
console.log(`judged: ${judged}`);
