const units: Record<string, number> = {
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
  ...{ k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
}

/** How many bytes a quantity is, as requests write it ("40Gi") and as Kubernetes answers it ("11381663335"). */
export function bytes(quantity: string): number {
  const [, number = '0', unit = ''] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? []
  return Number(number) * (units[unit] ?? 1)
}
