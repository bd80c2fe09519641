CREATE TABLE `call_trace` (
	`call_id` text NOT NULL,
	`attempt` integer NOT NULL,
	`trace` text NOT NULL,
	PRIMARY KEY(`call_id`, `attempt`),
	FOREIGN KEY (`call_id`) REFERENCES `call`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `number` (
	`number` text PRIMARY KEY NOT NULL,
	`fields` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
DROP INDEX `call_active`;--> statement-breakpoint
ALTER TABLE `call` ADD `transfer_to` text;--> statement-breakpoint
ALTER TABLE `call` ADD `max_attempts` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `call` ADD `retry_delay_seconds` integer DEFAULT 300 NOT NULL;--> statement-breakpoint
ALTER TABLE `call` ADD `language` text;--> statement-breakpoint
ALTER TABLE `call` ADD `voice` text;--> statement-breakpoint
ALTER TABLE `call` ADD `voicemail` text;--> statement-breakpoint
ALTER TABLE `call` ADD `result_schema` text;--> statement-breakpoint
ALTER TABLE `call` ADD `result` text;--> statement-breakpoint
ALTER TABLE `call` ADD `result_error` text;--> statement-breakpoint
CREATE UNIQUE INDEX `call_active` ON `call` (`to_number`) WHERE direction = 'outbound' and status in ('initiated', 'ringing', 'in_progress');