import { toYaml } from '../yaml.ts'
import { merge } from './merge.ts'

/** The names that a machine has from its allocation. */
export interface Names {
  name: string
  fqdn: string
}

/** cloud-init's user-data: the machine's names first, so that a part can say otherwise, then the parts in order. */
export function userData({ name, fqdn }: Names, parts: readonly object[]): string {
  const defaults = { hostname: name, fqdn, preserve_hostname: false }
  return `#cloud-config\n${toYaml(merge([defaults, ...parts]))}`
}
