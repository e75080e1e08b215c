import type { Cluster } from '../cluster.ts'
import type { KubeObject } from '../object.ts'
import { trackingId } from './argocd-compare.ts'

const appOf = ({ metadata }: KubeObject) => metadata.annotations?.[trackingId]?.split(':')[0]

/** Which live objects of a cluster belong to which Application; tells when one of them changes. */
export class Tracking {
  readonly #byApp = new Map<string, Map<string, KubeObject>>()

  constructor(cluster: Cluster, onChange: (app: string) => void) {
    for (const { kind } of cluster.store.kinds) for (const object of cluster.store.list(kind)) this.#add(object)
    const stop = cluster.store.subscribe(({ type, object, previous }) => {
      if (previous) this.#drop(previous)
      if (type !== 'DELETED') this.#add(object)
      const apps = new Set([appOf(object), previous && appOf(previous)])
      for (const app of apps) if (app) onChange(app)
    })
    cluster.onClose(stop)
  }

  of(app: string): KubeObject[] {
    return [...(this.#byApp.get(app)?.values() ?? [])]
  }

  #add(object: KubeObject): void {
    const app = appOf(object)
    if (!app) return
    const objects = this.#byApp.get(app) ?? new Map<string, KubeObject>()
    this.#byApp.set(app, objects.set(object.metadata.uid, object))
  }

  #drop(object: KubeObject): void {
    const app = appOf(object)
    if (!app) return
    const objects = this.#byApp.get(app)
    objects?.delete(object.metadata.uid)
    if (objects?.size === 0) this.#byApp.delete(app)
  }
}
