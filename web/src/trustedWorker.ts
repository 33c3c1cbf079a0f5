/**
 * The one way to start a worker. The pages' security policy (kernel/csp.py) lets a worker be started
 * only through the Trusted Types policy made here, and this lets through scripts of our own build
 * alone. Import the worker's address with `?worker&url`, so that the build bundles it:
 *
 *     import address from "./worker.ts?worker&url";
 *     const worker = trustedWorker(address);
 *
 * Must never make a worker from data:, blob: or another origin, and must never make a second policy.
 */

const POLICY = "conclave-worker";

interface ScriptPolicy {
  createScriptURL(address: string): unknown;
}

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): ScriptPolicy;
}

let policy: ScriptPolicy | null = null;

/** The whole address of a script of our own origin; throws for everything else. */
export function ownScript(address: string, base: string): string {
  const { origin } = new URL(base);
  const script = new URL(address, base);
  const isOwn =
    script.origin === origin &&
    (script.protocol === "https:" || script.protocol === "http:") &&
    script.username === "" &&
    script.password === "";
  if (!isOwn) {
    throw new TypeError("a worker's script has to be one of our own");
  }
  return script.href;
}

function scriptPolicy(): ScriptPolicy {
  if (policy === null) {
    const rules = { createScriptURL: (address: string) => ownScript(address, location.href) };
    // Firefox and Safari had no Trusted Types for long: the same check without the enforcement.
    const { trustedTypes } = globalThis as { trustedTypes?: PolicyFactory };
    policy = trustedTypes?.createPolicy(POLICY, rules) ?? rules;
  }
  return policy;
}

/** Starts a module worker of our own build. */
export function trustedWorker(address: string, options: { readonly name?: string } = {}): Worker {
  return new Worker(scriptPolicy().createScriptURL(address) as string, {
    type: "module",
    ...options,
  });
}
