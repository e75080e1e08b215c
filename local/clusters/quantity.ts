import { bytes } from '../../shared/quantity.ts'

/** A Kubernetes quantity as a number: of processors it may be thousandths. */
export const quantity = (text: string): number => (text.endsWith('m') ? Number(text.slice(0, -1)) / 1000 : bytes(text))
