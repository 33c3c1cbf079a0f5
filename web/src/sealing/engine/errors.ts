/** The one error of the engine: a call that makes no sense, or a browser that cannot do it. */
export class EngineFailed extends Error {
  override readonly name = "EngineFailed";
}
