import { kustomize } from '../broker-yaml/kustomize.ts'
import { find } from '../broker-yaml/manifest.ts'

/** What `broker/monitoring` gives to Prometheus and Grafana. */

export interface Rule {
  record?: string
  alert?: string
  expr: string
  for?: string
  annotations?: Record<string, string>
}

const objects = kustomize('test/broker-yaml/with-monitoring')
const groups = objects
  .filter(({ kind }) => kind === 'PrometheusRule')
  .flatMap(({ spec }) => (spec as unknown as { groups: { rules: Rule[] }[] }).groups)

/** The rules as Prometheus itself reads them. */
export const ruleFile = { groups }
export const rules: readonly Rule[] = groups.flatMap((group) => group.rules)
export const alarms = rules.flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }]))

export interface Dashboard {
  title: string
  panels: {
    id: number
    title: string
    gridPos: { x: number; y: number; w: number; h: number }
    targets: { expr: string; legendFormat: string }[]
  }[]
}

const dashboards = find(objects, 'ConfigMap', 'drover-dashboard')
export const dashboardLabels = dashboards.metadata.labels
export const dashboard = JSON.parse(dashboards.data['drover.json'] ?? '') as Dashboard
