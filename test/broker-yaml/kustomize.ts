import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Manifest } from './manifest.ts'

/**
 * What `kubectl kustomize` would make of a folder, as far as ours use it, so that tests need no kubectl. The ring on real
 * controllers compares the two.
 */

interface Operation {
  op: 'add' | 'remove' | 'replace' | 'test'
  path: string
  value: unknown
}

interface Patch {
  path?: string
  patch?: string
  target?: { group?: string; kind?: string; name?: string; namespace?: string }
}

interface Kustomization {
  resources?: string[]
  components?: string[] | null
  labels?: { pairs: Record<string, string> }[]
  patches?: Patch[]
  images?: { name: string; newName?: string; newTag?: string }[]
}

const root = new URL('../..', import.meta.url).pathname

/** The objects that a folder of this repository stands for. */
export const kustomize = (folder: string): Manifest[] => accumulate(join(root, folder), [])

export const kustomizationOf = (folder: string): Kustomization =>
  documentsOf(join(folder, 'kustomization.yaml'))[0] as Kustomization

function accumulate(folder: string, before: Manifest[]): Manifest[] {
  const { resources = [], components, labels = [], patches = [], images = [] } = kustomizationOf(folder)
  const own = resources.flatMap((name) => {
    const path = join(folder, name)
    return existsSync(join(path, 'kustomization.yaml')) ? accumulate(path, []) : (documentsOf(path) as Manifest[])
  })
  const objects = (components ?? []).reduce((all, name) => accumulate(join(folder, name), all), [...before, ...own])
  const patched = patches.reduce((all, patch) => patchAll(all, patch, folder), objects)
  for (const object of patched) {
    for (const { pairs } of labels) object.metadata.labels = { ...object.metadata.labels, ...pairs }
    for (const container of object.kind === 'Service' ? object.spec.template.spec.containers : []) {
      const image = images.find(({ name }) => container.image.startsWith(`${name}:`))
      if (image) container.image = `${image.newName ?? image.name}:${image.newTag}`
    }
  }
  return patched
}

function patchAll(objects: Manifest[], { path, patch, target }: Patch, folder: string): Manifest[] {
  const [what] = path === undefined ? documentsIn(patch ?? '') : documentsOf(join(folder, path))
  if (Array.isArray(what)) {
    const chosen = objects.filter((object) => isTarget(object, target ?? {}))
    for (const object of chosen) for (const operation of what as Operation[]) operate(object, operation)
    return objects
  }
  const change = what as Manifest & { $patch?: 'delete' }
  const isSame = ({ kind, metadata }: Manifest) => kind === change.kind && metadata.name === change.metadata.name
  if (!objects.some(isSame)) throw new Error(`Cannot patch: there is no ${change.kind} ${change.metadata.name}`)
  if (change.$patch === 'delete') return objects.filter((object) => !isSame(object))
  return objects.map((object) => (isSame(object) ? (merge(object, change) as Manifest) : object))
}

function isTarget({ apiVersion, kind, metadata }: Manifest, target: NonNullable<Patch['target']>): boolean {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : ''
  const fits = (pattern: string | undefined, is = '') => pattern === undefined || new RegExp(`^(${pattern})$`).test(is)
  return (
    fits(target.group, group) &&
    fits(target.kind, kind) &&
    fits(target.name, metadata.name) &&
    fits(target.namespace, metadata.namespace)
  )
}

function operate(object: unknown, { op, path, value }: Operation): void {
  const keys = path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = keys.pop() ?? ''
  const holder = keys.reduce((inner, key) => (inner as Record<string, unknown>)[key], object) as Record<string, unknown>
  if (Array.isArray(holder) && last === '-') holder.push(structuredClone(value))
  else if (op === 'test') {
    if (holder[last] !== value) throw new Error(`Cannot patch: ${path} is ${holder[last]}, wanted ${value}`)
  } else if (op === 'remove') delete holder[last]
  else if (op === 'replace' && !(last in holder)) throw new Error(`Cannot patch: there is no ${path}`)
  else holder[last] = structuredClone(value)
}

function merge(before: unknown, change: unknown): unknown {
  const isMap = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isMap(before) || !isMap(change)) return change
  const merged = { ...before }
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete merged[key]
    else merged[key] = merge(before[key], value)
  }
  return merged
}

const documentsOf = (path: string): unknown[] => documentsIn(readFileSync(path, 'utf8'))
const documentsIn = (text: string): unknown[] => parseAllDocuments(text).map((document) => document.toJS())
