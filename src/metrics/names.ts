/** Gives names numbers, for tables of numbers. */
export interface Names {
  /** The number of a name. */
  of(name: string): number
  /** The name of a number. */
  at(number: number): string
  /** The number of a name that has one. */
  known(name: string): number | undefined
}

/** Stands for all names beyond the most that are kept. */
const OTHER = 'other'

/** Number 0 is the empty name: nothing is known. So many names are kept at most; all further ones share one number. */
export function createNames(most: number = Number.POSITIVE_INFINITY): Names {
  const numbers = new Map<string, number>([['', 0]])
  const names = ['']
  const of = (name: string): number => {
    const known = numbers.get(name)
    if (known !== undefined) return known
    if (name !== OTHER && names.length >= most - 1) return of(OTHER)
    numbers.set(name, names.length)
    return names.push(name) - 1
  }
  return { of, at: (number) => names[number] ?? '', known: (name) => numbers.get(name) }
}
