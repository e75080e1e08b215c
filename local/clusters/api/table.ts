import { isDict } from '../../../shared/dict.ts'
import type { Kind } from '../kinds.ts'
import type { KubeObject } from '../object.ts'
import { fieldAt } from '../selector.ts'

/** Objects as the API server prints them for `kubectl get`. */
export function tableOf({ columns }: Kind, objects: KubeObject[], resourceVersion?: string) {
  const described = ['Name', ...Object.keys(columns)].map((title) => ({
    name: title.replace('+', ''),
    type: 'string',
    format: title === 'Name' ? 'name' : '',
    description: '',
    priority: title.startsWith('+') ? 1 : 0,
  }))
  const rows = objects.map((object) => {
    const { apiVersion: _, kind: __, metadata } = object
    const cells = [metadata.name, ...Object.values(columns).map((path) => cell(object, path))]
    return { cells, object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata } }
  })
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion },
    columnDefinitions: described,
    rows,
  }
}

function cell(object: KubeObject, column: string): string | number {
  const [path = '', how] = column.split(' ').reverse()
  const value = fieldAt(object, path)
  if (how === 'age') return typeof value === 'string' ? duration(Date.now() - Date.parse(value)) : '<unknown>'
  if (how === 'count') return isDict(value) ? Object.keys(value).length : 0
  if (how === 'true') return lastTrue(value)
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'number' ? value : String(value ?? '')
}

function lastTrue(conditions: unknown): string {
  const said = Array.isArray(conditions) ? conditions.filter(isDict).filter(({ status }) => status === 'True') : []
  return String(said.at(-1)?.['type'] ?? '')
}

/** A duration as kubectl says it: `45s`, `3m12s`, `25m`, `3h5m`, `2d`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const two = (value: number, unit: string, rest: number, small: string) =>
    rest === 0 ? `${value}${unit}` : `${value}${unit}${rest}${small}`
  if (seconds < 120) return `${seconds}s`
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`
}
