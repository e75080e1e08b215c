import type { Asker } from './ask.ts'
import type { Finding } from './finding.ts'

/** What is called how, in this installation. */
export interface Names {
  /** Drover's namespace on the hub, and Argo CD's. */
  namespace: string
  argocd: string
  /** The AppProject of machines' Applications, and the Application that applies the fleet repository's `hub/`. */
  project: string
  rootApplication: string
  /** The ServiceAccount that Drover reads managed clusters by. */
  reader: { namespace: string; name: string }
  /** The contexts of the kubeconfig, without the hub's. */
  contexts: string[]
}

/** One subject: what is asked of a cluster about it, and what follows from the answers. */
export interface Area<Facts> {
  title: string
  read(ask: Asker, names: Names): Promise<Facts>
  check(facts: Facts, names: Names): Finding[]
}

/** Looks at one subject in one cluster. */
export const look = async <Facts>(area: Area<Facts>, ask: Asker, names: Names): Promise<Finding[]> =>
  area.check(await area.read(ask, names), names)

/** What every object has. */
export interface Named {
  metadata: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
}

export interface List<T> {
  items: T[]
}

/** A ConfigMap, or what is kept of a Secret. */
export interface Data {
  data?: Record<string, string>
}
