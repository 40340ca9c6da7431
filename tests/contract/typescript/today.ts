// What an app does with the generated client: read the first screen, and know every member's type.
import createClient from "openapi-fetch";
import type { components, paths } from "./patient.js";

declare const process: { env: Record<string, string | undefined> };

type Today = components["schemas"]["TodayAnswer"];

const client = createClient<paths>({
  baseUrl: process.env["API"] ?? "",
  headers: { Authorization: `Bearer ${process.env["TOKEN"] ?? ""}` },
});

const read = await client.GET("/v1/me/today");
if (read.error) throw new Error(`${read.response.status} ${read.error.title}: ${read.error.retry}`);
const today: Today = read.data;
console.log(JSON.stringify(today));
