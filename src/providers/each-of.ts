/** What is read of each, in order. Of a stream there is one at a time nearly always, and it is not copied. */
export function eachOf<In, Out>(list: readonly In[], read: (one: In) => readonly Out[]): readonly Out[] {
  const [only] = list
  return list.length === 1 && only !== undefined ? read(only) : list.flatMap(read)
}
