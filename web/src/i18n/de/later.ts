import type en from "../en/later.ts";
import account from "./account.json";
import devices from "./devices.json";
import log from "./log.json";
import members from "./members.json";
import plan from "./plan.json";
import report from "./report.json";
import signin from "./signin.json";

export default { account, devices, log, members, plan, report, signin } satisfies typeof en;
