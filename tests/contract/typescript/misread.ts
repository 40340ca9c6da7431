// What strict mode must refuse: a member that the contract does not have.
import type { components } from "./patient.js";

export const lost = (today: components["schemas"]["TodayAnswer"]): unknown => today.no_such_member;
