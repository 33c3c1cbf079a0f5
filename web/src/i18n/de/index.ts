import type en from "../en/index.ts";
import common from "./common.json";
import errors from "./errors.json";
import invite from "./invite.json";
import join from "./join.json";
import leave from "./leave.json";
import meeting from "./meeting.json";
import notfound from "./notfound.json";
import operator from "./operator.json";
import sealed from "./sealed.json";
import start from "./start.json";
import vault from "./vault.json";
import verify from "./verify.json";

export default {
  common,
  errors,
  invite,
  join,
  leave,
  meeting,
  notfound,
  operator,
  sealed,
  start,
  vault,
  verify,
} satisfies typeof en;
