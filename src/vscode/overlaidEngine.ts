import type { Engine } from '../core/engine';

/** `engine` with some of its members in other words; everything else is its own. */
export function overlaidEngine(engine: Engine, overlay: Partial<Engine>): Engine {
  return new Proxy(engine, {
    get(target, property) {
      const own: unknown = Reflect.get(overlay, property);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, property, target); // private fields need the engine itself as `this`
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
