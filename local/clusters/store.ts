import { randomUUID } from 'node:crypto'
import { isDict } from '../../shared/dict.ts'
import { alreadyExists, badRequest, forbidden, notFound } from './api-error.ts'
import { type Change, History } from './history.ts'
import { isCustom, type Kind, kindNamed } from './kinds.ts'
import { type GivenMetadata, type KubeObject, type Metadata, type NewObject, timestamp } from './object.ts'
import {
  bumped,
  checkMetadata,
  checkName,
  checkPreconditions,
  type DeleteOptions,
  isHeld,
  replaced,
  same,
  sameSpec,
  waiting,
} from './store-rules.ts'

/** Checks and completes an object before it is stored; `previous` is undefined on creation. Throws to refuse. */
export type Admission = (object: KubeObject, previous: KubeObject | undefined) => KubeObject

interface Settings {
  kinds: readonly Kind[]
  history?: number
  saved?: Saved | undefined
}

/** What is kept of a cluster between two starts. */
export interface Saved {
  resourceVersion: number
  objects: KubeObject[]
}

type Places = Map<string, Map<string, KubeObject>>

/** One cluster's objects, with the API server's rules that hold for every kind; controllers use it directly. */
export class Store {
  readonly kinds: readonly Kind[]
  readonly #objects = new Map<string, Places>()
  readonly #owned = new Map<string, Set<KubeObject>>()
  readonly #admissions = new Map<string, Admission[]>()
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #history: History
  #version: number
  /** Adds the finalizers that a deletion has to wait for besides the object's own. */
  finalizersFor: (object: KubeObject) => string[] = () => []

  constructor({ kinds, history = 5000, saved }: Settings) {
    this.kinds = kinds
    for (const { kind } of kinds) this.#objects.set(kind, new Map())
    this.#version = saved?.resourceVersion ?? 1
    this.#history = new History(history, this.#version)
    for (const object of saved?.objects ?? []) this.#put(object)
  }

  get version(): number {
    return this.#version
  }

  has(kind: string): boolean {
    return this.#objects.has(kind)
  }

  get<T extends KubeObject>(kind: string, namespace: string, name: string): T | undefined {
    return this.#objects.get(kind)?.get(namespace)?.get(name) as T | undefined
  }

  /** All objects of a kind, or those of one namespace, by namespace and name. */
  list<T extends KubeObject>(kind: string, namespace?: string): T[] {
    const places = this.#objects.get(kind)
    const chosen = namespace === undefined ? [...(places?.values() ?? [])] : [places?.get(namespace) ?? new Map()]
    const objects = chosen.flatMap((place) => [...place.values()] as T[])
    return objects.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
  }

  /** What has an owner with this uid. */
  dependents(uid: string): KubeObject[] {
    return [...(this.#owned.get(uid) ?? [])]
  }

  /** Has every object of a kind checked and completed before it is stored. */
  admit(kind: string, admission: Admission): void {
    this.#admissions.set(kind, [...(this.#admissions.get(kind) ?? []), admission])
  }

  /** Lets go of all admissions: those who checked are gone, and others come in their place. */
  admitAnything(): void {
    this.#admissions.clear()
  }

  /** Calls the listener after every change, in order, until the answered function is called. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What changed after a resourceVersion; throws 410 when that is forgotten. */
  since(version: number): Change[] {
    return this.#history.since(version)
  }

  create(input: NewObject, dryRun = false): KubeObject {
    const kind = kindNamed(input.kind)
    const metadata = this.#newMetadata(kind, input.metadata)
    const { status, ...rest } = input
    let object: KubeObject = { ...rest, ...(!kind.status && status !== undefined && { status }), metadata }
    for (const admission of this.#admissions.get(kind.kind) ?? []) object = admission(object, undefined)
    return dryRun ? object : this.#commit('ADDED', kind, object, undefined)
  }

  /** Replaces an object; `status` replaces its status alone. A change that changes nothing is no change. */
  update(
    input: NewObject,
    { subresource, dryRun = false }: { subresource?: 'status'; dryRun?: boolean } = {},
  ): KubeObject {
    const kind = kindNamed(input.kind)
    const name = input.metadata.name ?? ''
    const previous = this.get(kind.kind, input.metadata.namespace ?? '', name)
    if (!previous) throw notFound(kind, name)
    checkPreconditions(kind, previous, input.metadata)
    checkMetadata(kind, input.metadata)
    let object = subresource ? { ...previous, status: input['status'] } : replaced(kind, previous, input)
    if (!subresource)
      for (const admission of this.#admissions.get(kind.kind) ?? []) object = admission(object, previous)
    if (same(object, previous)) return previous
    if (isCustom(kind) && !sameSpec(kind, previous, object)) object = bumped(object)
    return dryRun ? object : this.#commit('MODIFIED', kind, object, previous)
  }

  /** Changes the newest state of an object, if it is still there; for controllers, which need no optimistic locking. */
  modify<T extends KubeObject>(target: T, change: (object: T) => NewObject): T | undefined {
    const current = this.#current(target)
    return current && (this.update(change(current)) as T)
  }

  /** Sets some fields of an object's status, if it is still there. */
  setStatus<T extends KubeObject>(target: T, fields: Record<string, unknown>): T | undefined {
    const current = this.#current(target)
    if (!current) return undefined
    const status = { ...(isDict(current['status']) ? current['status'] : {}), ...fields }
    const object = { ...current, status }
    return this.update(object, kindNamed(target.kind).status ? { subresource: 'status' } : {}) as T
  }

  /** Deletes an object, or marks it as being deleted while finalizers or a node hold it; answers its last state. */
  remove(kindName: string, namespace: string, name: string, options: DeleteOptions = {}): KubeObject {
    const kind = kindNamed(kindName)
    const object = this.get(kindName, namespace, name)
    if (!object) throw notFound(kind, name)
    const { uid, resourceVersion } = options.preconditions ?? {}
    checkPreconditions(kind, object, { uid, resourceVersion })
    const at = object.metadata.deletionTimestamp
    const finalizers = [
      ...new Set([
        ...(object.metadata.finalizers ?? []),
        ...this.finalizersFor(object),
        ...(at ? [] : waiting(options)),
      ]),
    ]
    const grace = kind.graceful ? (options.gracePeriodSeconds ?? object.metadata.deletionGracePeriodSeconds ?? 30) : 0
    const metadata = {
      ...object.metadata,
      finalizers,
      deletionTimestamp: at ?? timestamp(),
      deletionGracePeriodSeconds: grace,
    }
    if (at && same(metadata, object.metadata)) return object
    const marked = at ? { ...object, metadata } : bumped({ ...object, metadata })
    return this.#commit('MODIFIED', kind, marked, object)
  }

  save(): Saved {
    return { resourceVersion: this.#version, objects: this.kinds.flatMap(({ kind }) => this.list(kind)) }
  }

  #current<T extends KubeObject>({ kind, metadata }: T): T | undefined {
    const current = this.get<T>(kind, metadata.namespace ?? '', metadata.name)
    return current?.metadata.uid === metadata.uid ? current : undefined
  }

  #newMetadata(kind: Kind, given: GivenMetadata): Metadata {
    const name = given.name ?? (given.generateName ? given.generateName + randomUUID().slice(0, 5) : '')
    checkName(kind, name)
    checkMetadata(kind, given)
    if (kind.namespaced) this.#checkNamespace(kind, given.namespace, name)
    if (this.get(kind.kind, kind.namespaced ? (given.namespace ?? '') : '', name)) throw alreadyExists(kind, name)
    const { deletionTimestamp: _, namespace, ...rest } = given
    const born = { uid: randomUUID(), resourceVersion: '', creationTimestamp: timestamp() }
    return { ...rest, ...(kind.namespaced && { namespace }), name, ...born, ...(isCustom(kind) && { generation: 1 }) }
  }

  #checkNamespace(kind: Kind, namespace: string | undefined, name: string): void {
    if (!namespace) throw badRequest('an empty namespace may not be set during creation')
    const found = this.get('Namespace', '', namespace)
    if (!found) throw notFound(kindNamed('Namespace'), namespace)
    if (!found.metadata.deletionTimestamp) return
    throw forbidden(kind, name, `unable to create new content in namespace ${namespace} because it is being terminated`)
  }

  #commit(type: Change['type'], kind: Kind, wanted: KubeObject, previous: KubeObject | undefined): KubeObject {
    this.#version += 1
    const object = { ...wanted, metadata: { ...wanted.metadata, resourceVersion: String(this.#version) } }
    const gone = object.metadata.deletionTimestamp !== undefined && !isHeld(kind, object)
    if (previous) this.#take(previous)
    if (!gone) this.#put(object)
    const change = { type: gone ? ('DELETED' as const) : type, kind, object, previous, version: this.#version }
    this.#history.add(change)
    for (const listener of this.#listeners) listener(change)
    return object
  }

  #put(object: KubeObject): void {
    const places = this.#objects.get(object.kind)
    if (!places) throw new Error(`Cannot store a ${object.kind}: this cluster has no such kind`)
    const { namespace = '', name, ownerReferences } = object.metadata
    const place = places.get(namespace) ?? new Map<string, KubeObject>()
    places.set(namespace, place.set(name, object))
    for (const { uid } of ownerReferences ?? []) this.#owned.set(uid, (this.#owned.get(uid) ?? new Set()).add(object))
  }

  #take(object: KubeObject): void {
    const { namespace = '', name, ownerReferences } = object.metadata
    this.#objects.get(object.kind)?.get(namespace)?.delete(name)
    for (const { uid } of ownerReferences ?? []) {
      const owned = this.#owned.get(uid)
      owned?.delete(object)
      if (owned?.size === 0) this.#owned.delete(uid)
    }
  }
}

const sortKey = ({ metadata: { namespace = '', name } }: KubeObject) => `${namespace}\u0000${name}`
