/** One call after another: the group is a value, and two calls at a time would lose one's result. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(call: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(call);
    this.#last = result.catch(() => {});
    return result;
  }
}
