/** Kubernetes' two families of units, from the smallest to the largest, each so many times the one before. */
const families = [
  { base: 1000n, units: ['', 'k', 'M', 'G', 'T', 'P', 'E'] },
  { base: 1024n, units: ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] },
]

const factors = new Map(
  families.flatMap(({ base, units }) => units.map((unit, power) => [unit, Number(base) ** power] as const)),
)

/** How many bytes a quantity is, as requests write it ("40Gi") and as Kubernetes answers it ("11381663335"). */
export function bytes(quantity: string): number {
  const [, number = '0', unit = ''] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? []
  return Number(number) * (factors.get(unit) ?? 1)
}

/** As much or a little more, as requests and definitions write it: of a claim on a file system Kubernetes answers bytes. */
export const wholeMebibytes = (quantity: string): string => canonical(`${Math.ceil(bytes(quantity) / 2 ** 20)}Mi`)

/**
 * A quantity as Kubernetes writes it back: in the largest unit of its family that needs no fraction. Manifests say it so, or
 * Argo CD sees a difference for ever. What is no whole number of bytes stays as it is.
 * https://github.com/kubernetes/apimachinery/blob/v0.35.8/pkg/api/resource/quantity.go
 */
export function canonical(quantity: string): string {
  const [, whole, fraction = '', unit = ''] = /^([0-9]+)(?:\.([0-9]+))?([A-Za-z]*)$/.exec(quantity) ?? []
  const family = families.find(({ units }) => units.includes(unit))
  if (whole === undefined || !family) return quantity
  const { base, units } = family
  const parts = 10n ** BigInt(fraction.length)
  const amount = BigInt(whole + fraction) * base ** BigInt(units.indexOf(unit))
  if (amount % parts !== 0n) return quantity
  if (amount === 0n) return '0'
  const power = units.findLastIndex((_, at) => (amount / parts) % base ** BigInt(at) === 0n)
  return `${amount / parts / base ** BigInt(power)}${units[power]}`
}
