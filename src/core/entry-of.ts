/**
 * What a table says of a word that came from outside. Asked with brackets, a plain object answers for `constructor` and
 * `__proto__` too, with what every object has.
 */
export function entryOf<Value>(table: Readonly<Record<string, Value>>, word: string): Value | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined
}
